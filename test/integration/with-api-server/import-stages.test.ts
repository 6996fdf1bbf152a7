import { expect } from 'chai';
import { type DataVolume, dataVolumes, type DataVolumeSpec } from '../../../src/api/data-volume.ts';
import { CDI_API_VERSION } from '../../../src/api/group.ts';
import { volumeImportSources } from '../../../src/api/volume-import-source.ts';
import { addControllers } from '../../../src/controllers/manager.ts';
import { events, persistentVolumeClaims, pods, storageClasses } from '../../../src/kube/builtin-resources.ts';
import { KubeClient } from '../../../src/kube/client.ts';
import type { ObjectKey } from '../../../src/kube/key.ts';
import { Manager } from '../../../src/kube/manager.ts';
import { importerPodName, primeClaimName } from '../../../src/protocol/object-names.ts';
import { IMPORT_REQUEST_VARIABLE, importRequest, type ImportStage } from '../../../src/protocol/transfer-pod.ts';
import { install } from '../../bench/scale/api-with-storage.ts';
import { SIMULATED_DRIVER, simulateStorage } from '../../bench/scale/simulated-storage.ts';
import { type ApiServer, kubernetesIsBuilt, startApiServer } from '../../support/api-server.ts';
import { conditionOf, untilSucceeded } from '../../support/data-volumes.ts';
import { eventually } from '../../support/eventually.ts';
import { silentLogger } from '../../support/logger.ts';
import { until } from '../../support/until.ts';

const NAMESPACE = 'clones';
const CLASS = 'csi-clone';
const WAITING_CLASS = 'waiting';
const USE_POPULATOR = 'cdi.kubevirt.io/storage.usePopulator';
const IMMEDIATE = 'cdi.kubevirt.io/storage.bind.immediate.requested';
const SELECTED_NODE = 'volume.kubernetes.io/selected-node';
const DONE = 'cdi.kubevirt.io/storage.checkpoint.done';

const FIRST = { previous: '', current: 'snapshot-1' };
const SECOND = { previous: 'snapshot-1', current: 'snapshot-2' };
const THIRD = { previous: 'snapshot-2', current: 'snapshot-3' };
const succeeded = { outcome: 'succeeded', bytesRead: 1, bytesWritten: 1 };

/** The importer pods are played by the test. */
describe('imports in stages, in a real API server with simulated storage', function () {
  this.timeout(90_000);
  const ending = new AbortController();
  let server: ApiServer;
  let client: KubeClient;
  let storage: Promise<unknown>;
  let controllers: { readonly ended: Promise<unknown>; readonly stop: AbortController };

  const startControllers = () => {
    const stop = new AbortController();
    const kubeConfig = server.kubeConfig({ token: server.controllersToken });
    const manager = new Manager({ kubeConfig, logger: silentLogger(), port: 0, host: '127.0.0.1' });
    addControllers(manager, { image: 'localhost/diskpress:none', namespace: 'cdi', version: 'test' });
    return { ended: manager.run(stop.signal), stop };
  };

  before(kubernetesIsBuilt);
  before(async function () {
    this.timeout(180_000);
    server = await startApiServer({});
    client = new KubeClient(server.kubeConfig());
    await install(server, client);
    await client.create(storageClasses, {
      metadata: { name: WAITING_CLASS },
      provisioner: SIMULATED_DRIVER,
      volumeBindingMode: 'WaitForFirstConsumer',
    });
    const manager = new Manager({ kubeConfig: server.kubeConfig(), logger: silentLogger(), component: 'simulation' });
    simulateStorage(manager);
    storage = manager.run(ending.signal);
    controllers = startControllers();
  });
  after(async () => {
    ending.abort();
    controllers?.stop.abort();
    await Promise.all([storage, controllers?.ended]);
    await client?.close();
    await server?.stop();
  });

  const keyOf = (name: string): ObjectKey => ({ namespace: NAMESPACE, name });

  async function create(name: string, annotations: Record<string, string> = {}, storageClassName = CLASS) {
    const spec: DataVolumeSpec = {
      source: { imageio: { url: 'https://engine.example/ovirt-engine/api', diskId: 'disk', secretRef: 'engine' } },
      checkpoints: [FIRST],
      pvc: { accessModes: ['ReadWriteOnce'], storageClassName, resources: { requests: { storage: '1Gi' } } },
    };
    const identity = { apiVersion: CDI_API_VERSION, kind: 'DataVolume' } as const;
    await client.create(dataVolumes, { ...identity, metadata: { ...keyOf(name), annotations }, spec });
  }

  const plan = (name: string, spec: Pick<DataVolumeSpec, 'checkpoints' | 'finalCheckpoint'>) =>
    client.mergePatch(dataVolumes, keyOf(name), { spec });
  const untilPhase = (name: string, phase: string): Promise<DataVolume> =>
    until(client, dataVolumes, keyOf(name), `it is ${phase}`, (found) =>
      found?.status?.phase === phase ? found : undefined,
    );

  /** Name of the claim that is written. */
  async function writtenBy(name: string): Promise<string> {
    const claim = await until(client, persistentVolumeClaims, keyOf(name), 'there is a claim', (found) => found);
    const isDirect = claim.metadata?.annotations?.[USE_POPULATOR] === 'false';
    return isDirect ? name : primeClaimName(claim.metadata?.uid ?? '');
  }

  /** Ends the pod of a stage with a result, and returns which stage it was asked for. */
  async function end(name: string, checkpoint: string, result: object): Promise<ImportStage | undefined> {
    const key = keyOf(importerPodName(await writtenBy(name), checkpoint));
    const pod = await until(client, pods, key, 'there is a pod', (found) => {
      return found?.metadata?.deletionTimestamp || found?.status?.containerStatuses ? undefined : found;
    });
    const message = JSON.stringify(result);
    const exitCode = result === succeeded ? 0 : 1;
    const state = { terminated: { exitCode, message, finishedAt: new Date().toISOString() } };
    const container = { name: 'importer', image: 'none', imageID: 'none', ready: false, restartCount: 0, state };
    const status = { phase: exitCode === 0 ? 'Succeeded' : 'Failed', containerStatuses: [container] };
    await client.mergePatch(pods, key, { status }, { subresource: 'status' });
    const { value = '' } = pod.spec?.containers[0]?.env?.find((each) => each.name === IMPORT_REQUEST_VARIABLE) ?? {};
    return importRequest.parse(JSON.parse(value)).stage;
  }

  for (const [way, usePopulator] of Object.entries({ populated: 'true', direct: 'false' }))
    it(`pause after each of them, and end with the final one, where a claim is ${way}`, async () => {
      const name = `whole-${way}`;
      await create(name, { [USE_POPULATOR]: usePopulator });
      expect(await end(name, 'snapshot-1', succeeded)).to.deep.equal({ ...FIRST, isFinal: false });
      const paused = await untilPhase(name, 'Paused');
      expect(conditionOf(paused, 'Running')).to.include({ status: 'False', reason: 'ImportPaused' });
      expect(conditionOf(paused, 'Ready')).to.include({ status: 'False' });

      controllers.stop.abort();
      await controllers.ended;
      await plan(name, { checkpoints: [FIRST, SECOND] });
      controllers = startControllers();
      const passing = { outcome: 'failed', permanent: false, code: 'ConnectionLost', message: 'The engine is away' };
      await end(name, 'snapshot-2', passing);
      expect(await end(name, 'snapshot-2', succeeded)).to.deep.equal({ ...SECOND, isFinal: false });
      await until(client, persistentVolumeClaims, keyOf(name), 'the stage counts', (claim) => {
        return claim?.metadata?.annotations?.['cdi.kubevirt.io/storage.checkpoint.copied.snapshot-2'];
      });

      await plan(name, { checkpoints: [FIRST, SECOND, THIRD], finalCheckpoint: true });
      expect(await end(name, 'snapshot-3', succeeded)).to.deep.equal({ ...THIRD, isFinal: true });
      await untilSucceeded(client, keyOf(name));
      const claim = await client.get(persistentVolumeClaims, keyOf(name));
      const left = Object.entries(claim?.metadata?.annotations ?? {}).filter(([each]) => each.includes('checkpoint'));
      expect(left).to.deep.equal([[DONE, 'true']]);
      await eventually('its events are there', async () => {
        const told = await client.list(events, { namespace: NAMESPACE, fieldSelector: `involvedObject.name=${name}` });
        const reasons = told.flatMap(({ involvedObject, reason }) =>
          involvedObject.kind === 'DataVolume' ? (reason ?? []) : [],
        );
        return ['ImportScheduled', 'ImportPaused', 'ImportSucceeded'].every((each) => reasons.includes(each));
      });
    });

  it('fail for good with a sentence, and go on with another checkpoint in place of the one that is gone', async () => {
    await create('replaced');
    await end('replaced', 'snapshot-1', succeeded);
    await untilPhase('replaced', 'Paused');
    await plan('replaced', { checkpoints: [FIRST, SECOND] });
    const message = 'Disk disk has no snapshot snapshot-2';
    await end('replaced', 'snapshot-2', { outcome: 'failed', permanent: true, code: 'NotFound', message });
    expect(conditionOf(await untilPhase('replaced', 'Failed'), 'Running')?.message).to.equal(message);
    const other = { previous: 'snapshot-1', current: 'snapshot-9' };
    await plan('replaced', { checkpoints: [FIRST, other], finalCheckpoint: true });
    expect(await end('replaced', 'snapshot-9', succeeded)).to.deep.equal({ ...other, isFinal: true });
    // What it says of the failed stage may be seen for a moment longer.
    await untilPhase('replaced', 'Succeeded');
  });

  it('wait for the first consumer, and then for nobody', async () => {
    await create('consumed', {}, WAITING_CLASS);
    await untilPhase('consumed', 'PendingPopulation');
    await client.mergePatch(persistentVolumeClaims, keyOf('consumed'), {
      metadata: { annotations: { [SELECTED_NODE]: 'node' } },
    });
    await end('consumed', 'snapshot-1', succeeded);
    await untilPhase('consumed', 'Paused');
    await plan('consumed', { checkpoints: [FIRST, SECOND], finalCheckpoint: true });
    await end('consumed', 'snapshot-2', succeeded);
    await untilSucceeded(client, keyOf('consumed'));
  });

  it('wait for no consumer where that is asked for', async () => {
    await create('immediate', { [IMMEDIATE]: 'true' }, WAITING_CLASS);
    await end('immediate', 'snapshot-1', succeeded);
    await untilPhase('immediate', 'Paused');
  });

  it('leave nothing when they are deleted while they are paused', async () => {
    await create('deleted');
    await end('deleted', 'snapshot-1', succeeded);
    await untilPhase('deleted', 'Paused');
    const prime = await writtenBy('deleted');
    const claim = await client.get(persistentVolumeClaims, keyOf('deleted'));
    const source = claim?.spec?.dataSourceRef?.name ?? '';
    expect((await client.get(volumeImportSources, keyOf(source)))?.spec).to.include({ targetClaim: 'deleted' });
    // There is no garbage collector, which would delete what belongs to the DataVolume.
    await client.delete(dataVolumes, keyOf('deleted'));
    await client.delete(persistentVolumeClaims, keyOf('deleted'));
    for (const name of ['deleted', prime])
      await until(client, persistentVolumeClaims, keyOf(name), 'it is gone', (found) => found === undefined);
    const importers = (await client.list(pods, { namespace: NAMESPACE })).map(({ metadata }) => metadata?.name);
    expect(importers.filter((name) => name?.includes(prime))).to.deep.equal([]);
  });
});
