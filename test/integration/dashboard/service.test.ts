import { expect } from 'chai';
import { Agent, request } from 'undici';
import { readAssets } from '../../../src/dashboard/assets.ts';
import { namespaces, secrets } from '../../../src/kube/builtin-resources.ts';
import { roleCertificates } from '../../../src/protocol/installation.ts';
import { Dashboard } from '../../../src/services/dashboard/dashboard.ts';
import { Authority } from '../../cluster/pki.ts';
import { kubernetesIsBuilt } from '../../support/api-server.ts';
import { eventually } from '../../support/eventually.ts';
import {
  describeGrant,
  type Grant,
  grantRights,
  grantsIn,
  refusalOf,
  tokensOf,
  usersLackingOne,
} from '../../support/grants.ts';
import { Kubectl } from '../../support/kubectl.ts';
import { silentLogger } from '../../support/logger.ts';
import { Rig } from './rig.ts';

const grants = grantsIn('dashboard/dashboard.yaml');
const servers = usersLackingOne(grants);

const list = (resource: string, namespace?: string): Grant => ({
  verb: 'list',
  group: resource === 'datavolumes' ? 'cdi.kubevirt.io' : '',
  resource,
  name: undefined,
  namespace,
});

/** What readers may list. */
const readers: Readonly<Record<string, readonly Grant[]>> = {
  operator: [list('datavolumes'), list('persistentvolumeclaims')],
  red: [list('datavolumes', 'red')],
  'red-with-claims': [list('datavolumes', 'red'), list('persistentvolumeclaims', 'red')],
  nobody: [],
};

describe('the dashboard in a cluster, of a real API server', function () {
  this.timeout(120_000);
  const ending = new AbortController();
  let rig: Rig;
  let agent: Agent;
  let dashboards: Dashboard[];
  let running: Promise<unknown>;

  before(kubernetesIsBuilt);
  before(async () => {
    rig = await Rig.start({
      tokens: {
        ...tokensOf(servers),
        ...Object.fromEntries(Object.keys(readers).map((name) => [`${name}-token`, name])),
      },
    });
    const authority = await Authority.create('uploadproxy authority');
    const { certificate, key } = await authority.issue({ commonName: 'cdi-dashboard', names: ['localhost'] });
    agent = new Agent({ connect: { ca: authority.certificate } });
    await rig.client.create(namespaces, { metadata: { name: 'cdi' } });
    await rig.client.create(secrets, {
      metadata: { namespace: 'cdi', name: roleCertificates.dashboard.secret },
      type: 'kubernetes.io/tls',
      data: {
        'tls.crt': Buffer.from(certificate).toString('base64'),
        'tls.key': Buffer.from(key).toString('base64'),
      },
    });
    const kubectl = await Kubectl.create(rig.api.kubeConfigPath);
    await grantRights(kubectl, servers);
    await grantRights(
      kubectl,
      Object.entries(readers).map(([name, rights]) => ({ name, token: '', rights })),
    );
    await kubectl.remove();
    const copied = await rig.createDataVolume(
      'red',
      'red-disk',
      { phase: 'CloneInProgress', progress: '45.20%' },
      { pvc: { namespace: 'golden', name: 'fedora' } },
    );
    await rig.createCopiedClaim(copied);
    await rig.createDataVolume('blue', 'blue-disk', { phase: 'Succeeded' });
    const assets = await readAssets();
    dashboards = servers.map(
      ({ token }) =>
        new Dashboard({
          kubeConfig: rig.api.kubeConfig({ token }),
          namespace: 'cdi',
          logger: silentLogger(),
          host: '127.0.0.1',
          port: 0,
          metricsPort: 0,
          unreadyFor: 0,
          assets,
        }),
    );
    running = Promise.allSettled(dashboards.map((dashboard) => dashboard.run(ending.signal)));
    await eventually('the one with all rights is ready', async () => (await ask(dashboards[0], 'readyz')).ok);
  });
  after(async () => {
    ending.abort();
    await running;
    await agent?.destroy();
    await rig?.stop();
  });

  async function ask(dashboard: Dashboard | undefined, path: string): Promise<{ ok: boolean; text: string }> {
    if (dashboard?.metricsPort === undefined) return { ok: false, text: '' };
    const response = await fetch(`http://127.0.0.1:${dashboard.metricsPort}/${path}`);
    return { ok: response.ok, text: await response.text() };
  }

  async function get(path: string, headers: Record<string, string> = {}, dashboard = dashboards[0], form?: string) {
    const answer = await request(`https://localhost:${dashboard?.port ?? 0}/${path}`, {
      dispatcher: agent,
      method: form === undefined ? 'GET' : 'POST',
      headers: { ...headers, ...(form !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }) },
      ...(form !== undefined && { body: form }),
    });
    return { status: answer.statusCode, headers: answer.headers, text: await answer.body.text() };
  }
  const post = (path: string, form: string, headers: Record<string, string> = {}) =>
    get(path, headers, dashboards[0], form);
  const bearer = (name: string) => ({ authorization: `Bearer ${name}-token` });

  it('shows an operator everything', async () => {
    const { status, text } = await get('', bearer('operator'));
    expect(status).to.equal(200);
    expect(text).to.contain('red-disk').and.contain('blue-disk').and.contain('180 MiB/s');
  });

  it('shows a tenant what is in its own namespace, and of claims nothing that it may not list', async () => {
    const tenant = await get('', bearer('red'));
    expect(tenant.text).to.contain('red-disk').and.not.contain('blue');
    expect(tenant.text).not.to.match(/180 MiB\/s|CSI drivers|copy by pods/);
    const found = await get('?q=blue-disk&namespace=blue', bearer('red'));
    expect(found.text).to.contain('0 rows');
    const { text } = await get('', bearer('red-with-claims'));
    expect(text).to.contain('180 MiB/s').and.contain('CSI drivers').and.not.contain('blue-disk');
    const { text: nothing } = await get('', bearer('nobody'));
    expect(nothing)
      .to.contain('nothing to show')
      .and.not.match(/(red|blue)-disk/);
  });

  it('tells a tenant of changes in its own namespace alone', async () => {
    const leaving = new AbortController();
    const { body } = await request(`https://localhost:${dashboards[0]?.port ?? 0}/events`, {
      dispatcher: agent,
      headers: bearer('red'),
      signal: leaving.signal,
    });
    let told = '';
    body.on('data', (chunk: Buffer) => (told += chunk.toString())).on('error', () => undefined);
    await eventually('the first picture', () => told.includes('red-disk'));
    await rig.createDataVolume('blue', 'blue-news');
    await rig.createDataVolume('red', 'red-news');
    await eventually('the change', () => told.includes('red-news'));
    leaving.abort();
    expect(told).not.to.contain('blue');
  });

  it('asks strangers for a token, and tells them nothing', async () => {
    for (const headers of [{}, { authorization: 'Bearer wrong' }, { cookie: '__Host-diskpress-token=wrong' }]) {
      for (const path of ['', 'events']) {
        const { status, text } = await get(path, headers as Record<string, string>);
        expect(status).to.equal(401);
        expect(text)
          .to.contain('type="password"')
          .and.not.match(/(red|blue)-disk/);
      }
    }
  });

  it('believes no header that says who somebody is', async () => {
    const claims = { 'x-remote-user': 'operator', 'x-forwarded-user': 'operator', 'impersonate-user': 'operator' };
    expect((await get('', claims)).status).to.equal(401);
    expect((await get('', { ...claims, ...bearer('red') })).text).not.to.contain('blue');
  });

  it('keeps a token in a cookie that no script and no other host gets, until its user logs out', async () => {
    const { status, headers } = await post('login', 'token=%20red-token%0A');
    expect(status).to.equal(303);
    const kept = String(headers['set-cookie']);
    expect(kept).to.match(/^__Host-diskpress-token=red-token; /);
    for (const attribute of ['Path=/', 'Secure', 'HttpOnly', 'SameSite=Lax']) expect(kept).to.contain(attribute);
    const cookie = kept.split(';')[0] ?? '';
    const page = await get('', { cookie });
    expect(page.text).to.contain('red-disk').and.contain('Log out');
    const end = await post('logout', '', { cookie });
    expect(end.headers['set-cookie']).to.match(/^__Host-diskpress-token=; Max-Age=0/);
  });

  it('refuses a token that the cluster does not know, and one that no browser keeps', async () => {
    const unknown = await post('login', 'token=unknown');
    expect([unknown.status, unknown.headers['set-cookie']]).to.deep.equal([401, undefined]);
    expect((await post('login', `token=${'x'.repeat(4_000)}`)).text).to.contain('3900 characters');
    expect((await post('login', `token=${'x'.repeat(40_000)}`)).status).to.equal(413);
  });

  it('lets no page of another origin log anybody in or out', async () => {
    const elsewhere: Record<string, string>[] = [
      { origin: 'https://elsewhere.example' },
      { 'sec-fetch-site': 'cross-site' },
    ];
    for (const headers of elsewhere) {
      expect((await post('login', 'token=red-token', headers)).status).to.equal(403);
    }
  });

  it('lets its page be framed by nobody, and run nothing that is written in it', async () => {
    for (const path of ['', 'assets/page.js', 'nothing']) {
      const { headers } = await get(path, bearer('operator'));
      const policy = String(headers['content-security-policy']);
      expect(policy).to.contain("default-src 'none'").and.contain("frame-ancestors 'none'").and.not.contain('unsafe');
    }
  });

  it('has all the rights that it needs', async () => {
    expect((await ask(dashboards[0], 'metrics')).text).not.to.match(/code="403"/);
  });

  for (const [index, grant] of grants.entries()) {
    it(`needs the right to ${describeGrant(grant)}`, async () => {
      const dashboard = dashboards[index + 1];
      await eventually('it has been refused', async () => {
        if (grant.verb === 'create' && dashboard?.port) await get('', bearer('red'), dashboard);
        return refusalOf(grant).test((await ask(dashboard, 'metrics')).text);
      });
    });
  }
});
