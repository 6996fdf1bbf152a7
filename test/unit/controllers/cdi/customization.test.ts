import { expect } from 'chai';
import { type CDI, cdis } from '../../../../src/api/cdi.ts';
import { type Deployment, deployments, services } from '../../../../src/kube/builtin-resources.ts';
import type { Write } from '../world/api.ts';
import { InstallationControllers } from '../world/installation-controllers.ts';

const key = (name: string) => ({ namespace: 'cdi', name });
const RECORD = 'cdi.kubevirt.io/customization';

describe('what the CDI object says of the installation', () => {
  let controllers: InstallationControllers;
  let writes: Write[];
  let failures: Error[];

  beforeEach(async () => {
    failures = [];
    controllers = new InstallationControllers(
      () => undefined,
      (failure) => failures.push(failure),
    );
    await controllers.pass(3, 1_000);
    writes = [];
    controllers.api.onWrite((write) => writes.push(write));
  });
  afterEach(() => expect(failures).to.deep.equal([]));

  const deployment = (name: string): Deployment => controllers.api.find(deployments, key(name)) ?? {};
  const plain = ({ metadata, spec }: Deployment) => {
    const annotations = Object.entries(metadata?.annotations ?? {}).filter(([name]) => name !== RECORD);
    return { labels: metadata?.labels, annotations, spec };
  };
  const podOf = (name: string) => deployment(name).spec?.template.spec;
  const status = () => controllers.api.find(cdis, { namespace: '', name: 'cdi' })?.status;
  const written = () =>
    writes.filter(
      ({ resource, user }) => user === 'controllers' && [deployments, services].includes(resource as never),
    );
  async function configure(spec: CDI['spec']): Promise<void> {
    controllers.configure(spec);
    await controllers.pass(1, 1_000);
  }

  it('is in force by one write of each, and given back by another', async () => {
    const before = plain(deployment('cdi-uploadproxy'));
    await configure({
      infra: {
        uploadProxyReplicas: 3,
        nodeSelector: { disk: 'fast' },
        tolerations: [{ key: 'infra', operator: 'Exists' }],
        affinity: { nodeAffinity: {} },
      },
      priorityClass: 'important',
      imagePullPolicy: 'Always',
      config: { imagePullSecrets: [{ name: 'registry' }], logVerbosity: 5 },
      customizeComponents: { flags: { uploadProxy: { v: '4', 'log-format': 'json' } } },
    });
    expect(deployment('cdi-uploadproxy').spec?.replicas).to.equal(3);
    expect(deployment('cdi-apiserver').spec?.replicas).to.equal(2);
    const pod = podOf('cdi-uploadproxy');
    expect(pod).to.deep.include({
      nodeSelector: { 'kubernetes.io/os': 'linux', disk: 'fast' },
      tolerations: [
        { key: 'CriticalAddonsOnly', operator: 'Exists' },
        { key: 'infra', operator: 'Exists' },
      ],
      priorityClassName: 'important',
      imagePullSecrets: [{ name: 'registry' }],
    });
    expect(pod?.affinity).to.have.all.keys('nodeAffinity', 'podAntiAffinity');
    expect(pod?.containers[0]).to.deep.include({
      imagePullPolicy: 'Always',
      args: ['uploadproxy', '--log-format=json', '--log-level=verbose'],
    });
    expect(podOf('cdi-apiserver')?.containers[0]?.args).to.deep.equal(['apiserver', '--log-level=debug']);
    expect(written()).to.have.length(3);
    await controllers.pass(5, 1_000);
    expect(written(), 'writes once it is in force').to.have.length(3);

    await configure({});
    expect(plain(deployment('cdi-uploadproxy'))).to.deep.equal(before);
    expect(deployment('cdi-uploadproxy').metadata?.annotations).to.not.have.property(RECORD);
    await controllers.pass(5, 1_000);
    expect(written()).to.have.length(6);
  });

  it('wins over whoever applies the manifest, whose newer values are given back in the end', async () => {
    await configure({ infra: { apiServerReplicas: 2 }, priorityClass: 'important' });
    controllers.api.change('cluster', deployments, key('cdi-apiserver'), (found) => ({
      ...found,
      spec: { ...found.spec!, replicas: 4 },
    }));
    await controllers.pass(3, 1_000);
    expect(deployment('cdi-apiserver').spec?.replicas).to.equal(2);
    await configure({});
    expect(deployment('cdi-apiserver').spec?.replicas).to.equal(4);
    expect(podOf('cdi-apiserver')?.priorityClassName).to.equal('system-cluster-critical');
  });

  it('is told to servers as versions and ciphers of TLS', async () => {
    const custom = { minTLSVersion: 'VersionTLS13', ciphers: ['TLS_AES_256_GCM_SHA384', 'NO-SUCH'] } as const;
    await configure({
      config: { tlsSecurityProfile: { type: 'Custom', custom: { ...custom, ciphers: [...custom.ciphers] } } },
    });
    for (const name of ['cdi-deployment', 'cdi-apiserver', 'cdi-uploadproxy'])
      expect(podOf(name)?.containers[0]?.args?.slice(1)).to.deep.equal([
        '--tls-cipher-suites=TLS_AES_256_GCM_SHA384',
        '--tls-min-version=VersionTLS13',
      ]);
    expect(status()?.conditions?.find(({ type }) => type === 'Degraded')?.message).to.include('no cipher "NO-SUCH"');
  });

  it('leaves one replica of the controllers, which read it', async () => {
    await configure({ infra: { deploymentReplicas: 0, apiServerReplicas: 0 } });
    expect(deployment('cdi-deployment').spec?.replicas).to.equal(1);
    expect(deployment('cdi-apiserver').spec?.replicas).to.equal(0);
  });

  it('may patch a Deployment, which is paused meanwhile, and Services', async () => {
    const before = {
      deployment: plain(deployment('cdi-apiserver')),
      service: controllers.api.find(services, key('cdi-api')),
    };
    const patch = (resourceType: string, resourceName: string, value: object) => ({
      resourceType,
      resourceName,
      type: 'merge',
      patch: JSON.stringify(value),
    });
    await configure({
      infra: { apiServerReplicas: 5 },
      customizeComponents: {
        patches: [
          patch('deployment', 'cdi-apiserver', { spec: { template: { metadata: { annotations: { a: '1' } } } } }),
          patch('Deployment', 'cdi-apiserver', { spec: { minReadySeconds: 7 } }),
          patch('Service', '*', { spec: { type: 'NodePort' } }),
        ],
      },
    });
    const found = deployment('cdi-apiserver');
    expect(found.spec).to.deep.include({ replicas: 5, minReadySeconds: 7 });
    expect(found.spec).to.not.have.property('paused');
    expect(found.spec?.template.metadata?.annotations).to.include({ a: '1' });
    const rolled = writes.filter(
      ({ user, after, resource }) =>
        user === 'controllers' && resource === (deployments as unknown) && !(after as Deployment).spec?.paused,
    );
    expect(rolled, 'states of the Deployment that are acted upon').to.have.length(1);
    for (const name of ['cdi-api', 'cdi-uploadproxy', 'cdi-prometheus-metrics'])
      expect(controllers.api.find(services, key(name))?.spec?.type).to.equal('NodePort');
    const count = written().length;
    await controllers.pass(5, 1_000);
    expect(written()).to.have.length(count);

    await configure({});
    await controllers.pass(1, 1_000);
    expect(plain(deployment('cdi-apiserver'))).to.deep.equal(before.deployment);
    expect(controllers.api.find(services, key('cdi-api'))?.spec).to.deep.equal(before.service?.spec);
  });

  it('is told of what cannot be done of it, while the rest is', async () => {
    await configure({
      priorityClass: 'important',
      customizeComponents: {
        patches: [
          { resourceType: 'ClusterRole', resourceName: 'cdi', type: 'merge', patch: '{}' },
          { resourceType: 'Deployment', resourceName: 'cdi-apiserver', type: 'yaml', patch: '{}' },
          { resourceType: 'Deployment', resourceName: 'cdi-apiserver', type: 'json', patch: '{}' },
          { resourceType: 'Deployment', resourceName: 'cdi-apiserver', type: 'json', patch: '[]' },
        ],
        flags: { controller: { verbose: '1', v: 'much' } },
      },
    });
    expect(podOf('cdi-apiserver')?.priorityClassName).to.equal('important');
    const degraded = status()?.conditions?.find(({ type }) => type === 'Degraded');
    expect(degraded?.status).to.equal('True');
    expect(degraded?.message)
      .to.match(/patches\[0\]: ClusterRole "cdi" is none of Deployment "cdi-deployment"/)
      .and.match(/patches\[1\]: type is "yaml" instead of json, merge, strategic/)
      .and.match(/patches\[2\]: patch is not JSON, a list of operations/)
      .and.match(/Deployment "cdi-apiserver": customizeComponents\.patches\[3\]: no operations are simulated/)
      .and.match(/there is no flag "verbose"/)
      .and.match(/flag "v" is "much" instead of a digit/);
    await controllers.pass(2, 1_000);
    expect(status()?.conditions?.find(({ type }) => type === 'Degraded')).to.deep.equal(degraded);
  });

  it('goes on from any write after which the controllers have been killed', async () => {
    const spec: CDI['spec'] = {
      infra: { apiServerReplicas: 5 },
      customizeComponents: {
        patches: [1, 2].map((each) => ({
          resourceType: 'Deployment',
          resourceName: 'cdi-apiserver',
          type: 'merge',
          patch: JSON.stringify({ spec: { template: { metadata: { annotations: { [`a${each}`]: 'b' } } } } }),
        })),
      },
    };
    const before = plain(deployment('cdi-apiserver'));
    for (const next of [spec, {}])
      for (let writesBefore = 1; writesBefore < 5; writesBefore++) {
        await configure(next === spec ? {} : spec);
        controllers.killAfter(writesBefore);
        await configure(next);
        controllers.killAfter(undefined);
        await controllers.pass(2, 1_000);
        if (next !== spec) expect(plain(deployment('cdi-apiserver'))).to.deep.equal(before);
        else {
          expect(deployment('cdi-apiserver').spec).to.include({ replicas: 5 }).and.to.not.have.property('paused');
          expect(deployment('cdi-apiserver').spec?.template.metadata?.annotations).to.deep.equal({ a1: 'b', a2: 'b' });
        }
      }
    failures.length = 0;
  });
});
