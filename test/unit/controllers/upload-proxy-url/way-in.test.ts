import { expect } from 'chai';
import { type Candidates, givenUrl, wayInOf } from '../../../../src/controllers/upload-proxy-url/way-in.ts';

const nothing: Candidates = { ingresses: [], httpRoutes: [], tlsRoutes: [], openShiftRoutes: [] };
const SERVICE = 'cdi-uploadproxy';
const port = { number: 443 };

const ingress = (host: string | undefined, service = SERVICE, name = 'ingress', creationTimestamp = '2026-01-01') => ({
  metadata: { namespace: 'cdi', name, creationTimestamp },
  spec: {
    rules: [
      {
        ...(host === undefined ? {} : { host }),
        http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: service, port } } }] },
      },
    ],
  },
});

const route = (spec: object, service: object = { name: SERVICE }) => ({
  metadata: { namespace: 'cdi', name: 'route' },
  spec: { rules: [{ backendRefs: [{ name: SERVICE, ...service }] }], ...spec },
});

const openShift = (tls: object, host = 'route.example', name = SERVICE) => ({
  metadata: { namespace: 'cdi', name: 'route' },
  spec: { host, to: { kind: 'Service', name }, tls },
});

describe('how clients reach the upload proxy', () => {
  it('is unknown where nothing leads to it', () => {
    expect(wayInOf(nothing)).to.equal(undefined);
    const elsewhere = {
      ingresses: [ingress('other.example', 'other')],
      httpRoutes: [
        route({ hostnames: ['other.example'] }, { name: 'other' }),
        route({ hostnames: ['other.example'] }, { namespace: 'other' }),
        route({ hostnames: ['other.example'] }, { kind: 'ServiceImport', group: 'multicluster.x-k8s.io' }),
      ],
      tlsRoutes: [],
      openShiftRoutes: [openShift({}, 'other.example', 'other')],
    };
    expect(wayInOf(elsewhere)).to.equal(undefined);
  });

  it('is an Ingress with a rule for it', () => {
    expect(wayInOf({ ...nothing, ingresses: [ingress('upload.example')] })).to.deep.equal({
      url: 'https://upload.example',
    });
  });

  it('is an Ingress without a host at the address of its load balancer', () => {
    const at = (address: object) => ({ ...ingress(undefined), status: { loadBalancer: { ingress: [address] } } });
    expect(wayInOf({ ...nothing, ingresses: [ingress(undefined)] })).to.equal(undefined);
    expect(wayInOf({ ...nothing, ingresses: [at({ ip: '192.0.2.1' })] })).to.deep.equal({ url: 'https://192.0.2.1' });
    expect(wayInOf({ ...nothing, ingresses: [at({ ip: '2001:db8::1' })] })).to.deep.equal({
      url: 'https://[2001:db8::1]',
    });
    expect(wayInOf({ ...nothing, ingresses: [at({ hostname: 'lb.example' })] })).to.deep.equal({
      url: 'https://lb.example',
    });
    const byDefault = {
      metadata: { namespace: 'cdi', name: 'default' },
      spec: { defaultBackend: { service: { name: SERVICE, port } } },
      status: { loadBalancer: { ingress: [{ hostname: 'lb.example' }] } },
    };
    expect(wayInOf({ ...nothing, ingresses: [byDefault] })).to.deep.equal({ url: 'https://lb.example' });
  });

  it('is no wildcard', () => {
    expect(wayInOf({ ...nothing, ingresses: [ingress('*.example')] })).to.equal(undefined);
    const hostnames = ['*.example', 'upload.example'];
    expect(wayInOf({ ...nothing, httpRoutes: [route({ hostnames })] })).to.deep.equal({
      url: 'https://upload.example',
    });
  });

  it('is a route of a Gateway, with the port where that is another', () => {
    const hostnames = ['upload.example'];
    const withPort = route({ hostnames, parentRefs: [{ name: 'gateway', port: 8443 }] });
    expect(wayInOf({ ...nothing, tlsRoutes: [withPort] })).to.deep.equal({ url: 'https://upload.example:8443' });
    const usual = route({ hostnames, parentRefs: [{ name: 'gateway', port: 443 }] });
    expect(wayInOf({ ...nothing, httpRoutes: [usual] })).to.deep.equal({ url: 'https://upload.example' });
  });

  it('is a Route of OpenShift, with its authority unless that is the proxy’s own', () => {
    const of = (tls: object) => wayInOf({ ...nothing, openShiftRoutes: [openShift(tls)] });
    expect(of({ termination: 'passthrough' })).to.deep.equal({ url: 'route.example' });
    expect(of({ termination: 'reencrypt', caCertificate: 'PEM' })).to.deep.equal({ url: 'route.example', ca: 'PEM' });
    expect(of({ termination: 'reencrypt' })).to.deep.equal({ url: 'route.example' });
    const admitted = { ...openShift({}, ''), status: { ingress: [{ host: 'admitted.example' }] } };
    expect(wayInOf({ ...nothing, openShiftRoutes: [admitted] })).to.deep.equal({ url: 'admitted.example' });
  });

  it('is the oldest of several, and an Ingress before all else', () => {
    const ingresses = [
      ingress('new.example', SERVICE, 'a', '2026-02-01'),
      ingress('old.example', SERVICE, 'b', '2026-01-01'),
    ];
    const httpRoutes = [route({ hostnames: ['gateway.example'] })];
    expect(wayInOf({ ...nothing, ingresses, httpRoutes })).to.deep.equal({ url: 'https://old.example' });
  });

  it('is what the administrator gave, as a whole URL where there is a port, which virtctl cannot parse otherwise', () => {
    expect(givenUrl('upload.example')).to.equal('upload.example');
    expect(givenUrl('upload.example/uploads')).to.equal('upload.example/uploads');
    expect(givenUrl('192.0.2.1:31001')).to.equal('https://192.0.2.1:31001');
    expect(givenUrl('[2001:db8::1]:31001')).to.equal('https://[2001:db8::1]:31001');
    for (const whole of ['https://upload.example', 'https://upload.example:8443', 'http://localhost:8080']) {
      expect(givenUrl(whole)).to.equal(whole);
    }
  });
});
