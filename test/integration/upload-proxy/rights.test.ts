import { expect } from 'chai';
import { UploadProxy } from '../../../src/services/uploadproxy/upload-proxy.ts';
import { kubernetesIsBuilt } from '../../support/api-server.ts';
import { eventually } from '../../support/eventually.ts';
import {
  describeGrant,
  grantRights,
  grantsIn,
  type LimitedUser,
  refusalOf,
  tokensOf,
  usersLackingOne,
} from '../../support/grants.ts';
import { Kubectl } from '../../support/kubectl.ts';
import { silentLogger } from '../../support/logger.ts';
import { freePorts } from '../../support/ports.ts';
import { INSTALLATION, Rig, type StandIn } from './rig.ts';

const grants = grantsIn('base/upload-proxy.yaml');
const users = usersLackingOne(grants);

describe('the rights of the upload proxy', function () {
  this.timeout(60_000);
  const ending = new AbortController();
  let rig: Rig;
  let server: StandIn;
  let uploadToken: string;
  let serverPort: number;
  let proxies: UploadProxy[];
  let running: Promise<unknown>;

  before(kubernetesIsBuilt);
  before(async () => {
    rig = await Rig.start(tokensOf(users));
    const kubectl = await Kubectl.create(rig.api.kubeConfigPath);
    await grantRights(kubectl, users);
    await kubectl.remove();
    await rig.createKeys();
    [serverPort] = (await freePorts(1)) as [number];
    const claim = await rig.createClaim();
    const name = claim.metadata?.name ?? '';
    uploadToken = await rig.token(claim);
    server = await rig.startServer(name, await rig.createService(name), serverPort, (request, response) => {
      request.resume().once('end', () => response.end());
    });
    proxies = users.map(start);
    running = Promise.allSettled(proxies.map((proxy) => proxy.run(ending.signal)));
    await eventually('the one with all rights is ready', async () => (await ask(proxies[0], 'readyz')).ok);
  });
  after(async () => {
    ending.abort();
    await running;
    await server?.kill();
    await rig?.stop();
  });

  function start({ token }: LimitedUser): UploadProxy {
    return new UploadProxy({
      kubeConfig: rig.api.kubeConfig({ token }),
      namespace: INSTALLATION,
      logger: silentLogger(),
      host: '127.0.0.1',
      port: 0,
      metricsPort: 0,
      uploadServerPort: serverPort,
      unreadyFor: 0,
    });
  }

  async function ask(proxy: UploadProxy | undefined, path: string): Promise<{ ok: boolean; text: string }> {
    if (proxy?.metricsPort === undefined) return { ok: false, text: '' };
    const response = await fetch(`http://127.0.0.1:${proxy.metricsPort}/${path}`);
    return { ok: response.ok, text: await response.text() };
  }

  /** Resolves to the status of the answer; undefined where there is none before the signal is aborted. */
  async function upload(proxy: UploadProxy | undefined, signal?: AbortSignal): Promise<number | undefined> {
    const sent = rig.send(proxy?.port ?? 0, 'POST', '/v1beta1/upload', {
      token: uploadToken,
      body: Buffer.from('disk'),
    });
    const aborted = new Promise<undefined>((resolve) => signal?.addEventListener('abort', () => resolve(undefined)));
    return Promise.race([sent.then(({ status }) => status), aborted]).catch(() => undefined);
  }

  it('are all that it needs', async () => {
    expect(await upload(proxies[0])).to.equal(200);
    expect((await ask(proxies[0], 'metrics')).text).to.not.match(/code="403"/);
  });

  for (const [index, grant] of grants.entries()) {
    it(`are needed: ${describeGrant(grant)}`, async () => {
      const proxy = proxies[index + 1];
      const stop = new AbortController();
      const isAsked = grant.verb === 'get';
      if (isAsked) await eventually('it is ready', async () => (await ask(proxy, 'readyz')).ok);
      const answer = isAsked ? upload(proxy, stop.signal) : undefined;
      await eventually('it has been refused', async () => (await ask(proxy, 'metrics')).text.match(refusalOf(grant)));
      stop.abort();
      if (isAsked) expect(await answer, 'an answer').to.equal(undefined);
      else if (grant.verb === 'list') expect((await ask(proxy, 'readyz')).ok, 'whether it is ready').to.equal(false);
    });
  }
});
