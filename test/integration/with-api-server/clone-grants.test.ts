import { join } from 'node:path';
import { expect } from 'chai';
import { request } from 'undici';
import { cloneGrants } from '../../../src/api/clone-grant.ts';
import { type DataVolume, dataVolumes } from '../../../src/api/data-volume.ts';
import { addControllers } from '../../../src/controllers/manager.ts';
import { persistentVolumeClaims } from '../../../src/kube/builtin-resources.ts';
import { KubeClient } from '../../../src/kube/client.ts';
import type { ObjectKey } from '../../../src/kube/key.ts';
import { Manager } from '../../../src/kube/manager.ts';
import { createClone, createGoldenImage, goldenImageOf, install } from '../../bench/scale/api-with-storage.ts';
import { simulateStorage } from '../../bench/scale/simulated-storage.ts';
import { repository } from '../../cluster/folders.ts';
import { type ApiServer, kubernetesIsBuilt, startApiServer } from '../../support/api-server.ts';
import { conditionOf, untilSucceeded } from '../../support/data-volumes.ts';
import { eventually } from '../../support/eventually.ts';
import { Kubectl } from '../../support/kubectl.ts';
import { silentLogger } from '../../support/logger.ts';
import { rejection } from '../../support/rejection.ts';
import { until } from '../../support/until.ts';

const POLICY = 'clone-from-data-volume.cdi.kubevirt.io';

describe('clones between namespaces, of a real API server with simulated storage', function () {
  this.timeout(90_000);
  const ending = new AbortController();
  let server: ApiServer;
  let client: KubeClient;
  let kubectl: Kubectl;
  let controllers: Manager;
  let running: Promise<unknown>;
  let count = 0;

  before(kubernetesIsBuilt);
  before(async function () {
    this.timeout(180_000);
    server = await startApiServer({});
    client = new KubeClient(server.kubeConfig());
    kubectl = await Kubectl.create(server.kubeConfigPath);
    await install(server, client);
    const storage = new Manager({ kubeConfig: server.kubeConfig(), logger: silentLogger(), component: 'simulation' });
    simulateStorage(storage);
    const kubeConfig = server.kubeConfig({ token: server.controllersToken });
    controllers = new Manager({ kubeConfig, logger: silentLogger(), port: 0, host: '127.0.0.1' });
    addControllers(controllers, { image: 'localhost/diskpress:none', namespace: 'cdi', version: 'test' });
    running = Promise.all([storage.run(ending.signal), controllers.run(ending.signal)]);
    await createGoldenImage(client, 'other-namespace');
    await until(client, persistentVolumeClaims, goldenImageOf('other-namespace'), 'it is bound', (claim) => {
      return claim?.status?.phase === 'Bound';
    });
    await untilReady();
  });
  after(async () => {
    ending.abort();
    await running;
    await kubectl.remove();
    await client.close();
    await server.stop();
  });

  const readiness = async () => {
    const { statusCode, body } = await request(`http://127.0.0.1:${controllers.port}/readyz`);
    return { isReady: statusCode === 200, text: await body.text() };
  };
  const untilReady = () => eventually('the controllers are ready', async () => (await readiness()).isReady, 60_000);
  const installPolicies = () => kubectl.run('apply', '-k', join(repository, 'deploy/admission'));
  const clone = async (): Promise<ObjectKey> => {
    const number = count++;
    await createClone(client, 'other-namespace', number);
    return { namespace: 'clones', name: `clone-${number}` };
  };
  const untilReason = (key: ObjectKey, reason: string) =>
    until(client, dataVolumes, key, `it says ${reason}`, (object) => {
      const running = conditionOf(object, 'Running');
      return running?.reason === reason ? { phase: object?.status?.phase, message: running.message } : undefined;
    });
  const grantOf = ({ metadata }: DataVolume) => client.get(cloneGrants, { namespace: '', name: metadata.uid ?? '' });

  it('have a grant for one source and one claim, which nobody can change and which goes with the DataVolume', async () => {
    const key = await clone();
    const dataVolume = await untilSucceeded(client, key);
    const grant = await grantOf(dataVolume);
    const source = goldenImageOf('other-namespace');
    const [claim, golden] = await Promise.all([key, source].map((each) => client.get(persistentVolumeClaims, each)));
    expect(grant?.spec).to.deep.equal({
      dataVolume: { ...key, uid: dataVolume.metadata.uid },
      claimUid: claim?.metadata?.uid,
      source: { kind: 'PersistentVolumeClaim', ...source, uid: golden?.metadata?.uid },
    });
    const patch = { spec: { claimUid: 'another' } };
    const name = { namespace: '', name: dataVolume.metadata.uid ?? '' };
    expect(String(await rejection(client.mergePatch(cloneGrants, name, patch)))).to.include('cannot be changed');
    await client.delete(dataVolumes, key);
    await until(client, cloneGrants, name, 'it is gone', (found) => found === undefined);
  });

  it('wait while a policy is missing, which the readiness tells as well, and are to be made anew', async () => {
    const untouched = await clone();
    await untilSucceeded(client, untouched);
    await kubectl.run('delete', 'validatingadmissionpolicybinding', POLICY);
    await eventually('the controllers notice', async () => !(await readiness()).isReady);
    expect((await readiness()).text).to.include(`ValidatingAdmissionPolicyBinding "${POLICY}" is missing`);
    const unchecked = await clone();
    const waiting = await untilReason(unchecked, 'PolicyMissing');
    expect(waiting.phase).to.equal('Pending');
    expect(waiting.message).to.include(`ValidatingAdmissionPolicyBinding "${POLICY}" is missing`);
    expect(await client.get(persistentVolumeClaims, unchecked)).to.equal(undefined);

    await installPolicies();
    await untilReady();
    await until(client, dataVolumes, unchecked, 'it has failed', (found) => found?.status?.phase === 'Failed');
    expect((await untilReason(unchecked, 'PolicyMissing')).message).to.match(/nobody checked .* make it anew/);
    await untilSucceeded(client, await clone());
    expect((await client.get(dataVolumes, untouched))?.status?.phase).to.equal('Succeeded');
  });

  it('are granted once, whatever becomes of the claim and of what is told on the DataVolume', async () => {
    const key = await clone();
    await untilSucceeded(client, key);
    await client.delete(persistentVolumeClaims, key);
    await untilReason(key, 'ErrClaimLost');
    const forged = { status: { phase: 'Pending' as const, conditions: [] } };
    await client.mergePatch(dataVolumes, key, forged, { subresource: 'status' });
    const claim = await until(client, persistentVolumeClaims, key, 'it is made anew and told on', (found) => {
      return found?.metadata?.annotations?.['cdi.kubevirt.io/clonePhase'] === 'Error' ? found : undefined;
    });
    expect(claim.metadata?.annotations?.['cdi.kubevirt.io/storage.condition.running.message']).to.match(
      /was granted its clone once, for a claim that is gone/,
    );
    await until(client, dataVolumes, key, 'it has failed', (found) => found?.status?.phase === 'Failed');
  });
});
