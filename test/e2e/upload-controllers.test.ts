import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { populationAnnotation, stateAnnotation, userAnnotation } from '../../src/api/annotations.ts';
import { type DataVolume, dataVolumes } from '../../src/api/data-volume.ts';
import { type PersistentVolumeClaim, persistentVolumeClaims, pods } from '../../src/kube/builtin-resources.ts';
import type { ObjectKey } from '../../src/kube/key.ts';
import { primeClaimName, uploadPodName } from '../../src/protocol/object-names.ts';
import { run } from '../cluster/commands.ts';
import { type ClaimOptions, conditionOf, dataVolume, untilSucceeded } from '../support/data-volumes.ts';
import { diskFile } from '../support/disk-images.ts';
import { eventually } from '../support/eventually.ts';
import { until } from '../support/until.ts';
import { readVolume } from '../support/volume-content.ts';
import { type Answer, uploadDirectly } from './support/direct-upload.ts';
import { eventsOf } from './support/events.ts';
import { useSuite } from './support/suite.ts';
import { tracesIn, untilNothingElse } from './support/traces.ts';

const WAITING = 'waiting for an upload: 0 bytes so far';

describe('uploads, sent to their servers', function () {
  this.timeout(240_000);
  const suite = useSuite();
  let count = 0;
  const nextKey = () => suite.key(`upload-${++count}`);

  async function make(options: ClaimOptions, spec: Partial<DataVolume['spec']> = {}): Promise<ObjectKey> {
    const key = nextKey();
    const object = dataVolume(key, { upload: {} }, { storageClassName: suite.classes.standard, ...options });
    await suite.client.create(dataVolumes, { ...object, spec: { ...object.spec, ...spec } });
    return key;
  }

  const untilPhase = (key: ObjectKey, phase: string) =>
    until(suite.client, dataVolumes, key, `it is ${phase}`, (found) => found?.status?.phase === phase && found);
  const untilReady = (key: ObjectKey) =>
    until(suite.client, dataVolumes, key, 'it is ready and says so', (found) => {
      const isReady = found?.status?.phase === 'UploadReady' && conditionOf(found, 'Running')?.message === WAITING;
      return isReady && found;
    });
  const claimOf = async (key: ObjectKey): Promise<PersistentVolumeClaim> => {
    const claim = await suite.client.get(persistentVolumeClaims, key);
    if (!claim) throw new Error(`there is no claim ${key.name}`);
    return claim;
  };
  const workingClaimOf = async (key: ObjectKey): Promise<ObjectKey> => ({
    ...key,
    name: primeClaimName((await claimOf(key)).metadata?.uid ?? ''),
  });
  async function upload(written: ObjectKey, file: string): Promise<Answer> {
    const { size } = await stat(file);
    return uploadDirectly(suite.client, written, createReadStream(file), size);
  }
  /** Events are written after what they tell of. */
  const untilTold = (object: DataVolume, expected: readonly string[]) =>
    eventually(`the events ${expected.join(', ')}`, async () => {
      const events = await eventsOf(suite.client, object);
      const told = events.map(({ reason, source }) => `${reason} ${source?.component}`);
      return expected.every((each) => told.includes(each));
    });
  const image = (name: string) => join(suite.disk.folder, name);

  it('fill a Filesystem volume by way of a working claim, and leave nothing', async () => {
    const before = await tracesIn(suite.client, [suite.namespace]);
    const key = await make({});
    await untilReady(key);
    const prime = await workingClaimOf(key);
    const ready = { [stateAnnotation.podReady]: 'true', [stateAnnotation.podPhase]: 'Running' };
    expect((await claimOf(key)).metadata?.annotations).to.include({
      ...ready,
      [stateAnnotation.populatorPvcPrime]: prime.name,
      [stateAnnotation.uploadPodName]: uploadPodName(prime.name),
      [userAnnotation.usePopulator]: 'true',
    });
    expect((await claimOf(prime)).metadata?.annotations).to.include({
      ...ready,
      [populationAnnotation.uploadTarget]: '',
      [populationAnnotation.contentType]: 'kubevirt',
    });
    expect(await upload(prime, image(diskFile.qcow2Compressed))).to.include({ status: 200 });
    const object = await untilSucceeded(suite.client, key);
    expect(object.status).to.include({ progress: '100.0%', restartCount: 0 });
    expect((await claimOf(key)).metadata?.annotations).to.include({ [stateAnnotation.podPhase]: 'Succeeded' });
    const expected = ['UploadScheduled', 'UploadReady', 'UploadSucceeded'];
    await untilTold(
      object,
      expected.map((reason) => `${reason} datavolume-upload-controller`),
    );
    expect((await readVolume(suite, key, suite.disk.virtualSize)).sha256).to.equal(suite.disk.sha256);
    await suite.client.delete(dataVolumes, key);
    await untilNothingElse(suite.client, [suite.namespace], before);
  });

  it('fill a Block volume itself, though the server is deleted while it waits', async () => {
    const key = await make({ volumeMode: 'Block', annotations: { [userAnnotation.usePopulator]: 'false' } });
    await untilReady(key);
    const podKey = { ...key, name: uploadPodName(key.name) };
    const replaced = untilPhase(key, 'UploadScheduled');
    await suite.client.delete(pods, podKey, { gracePeriodSeconds: 0 });
    await replaced;
    await untilReady(key);
    expect(await upload(key, image(diskFile.rawGzip))).to.include({ status: 200 });
    await untilSucceeded(suite.client, key);
    expect((await readVolume(suite, key, suite.disk.virtualSize)).sha256).to.equal(suite.disk.sha256);
    await until(suite.client, pods, podKey, 'it is gone', (pod) => pod === undefined);
  });

  it('unpack an archive', async () => {
    const tar = join(suite.state, 'upload.tar');
    await run('tar', ['-C', suite.disk.folder, '-cf', tar, diskFile.raw]);
    const key = await make({ size: '300Mi' }, { contentType: 'archive' });
    await untilReady(key);
    const prime = await workingClaimOf(key);
    expect((await claimOf(prime)).metadata?.annotations).to.include({ [populationAnnotation.contentType]: 'archive' });
    expect(await upload(prime, tar)).to.include({ status: 200 });
    await untilSucceeded(suite.client, key);
    expect((await readVolume(suite, key, suite.disk.virtualSize)).sha256).to.equal(suite.disk.sha256);
  });

  it('wait for the first consumer, unless that is not wanted', async function () {
    const storageClassName = suite.classes.firstConsumer;
    if (!storageClassName) this.skip();
    const waiting = await make({ storageClassName });
    const direct = await make({ storageClassName, annotations: { [userAnnotation.usePopulator]: 'false' } });
    const bound = await make({ storageClassName, annotations: { [userAnnotation.bindImmediateRequested]: '' } });
    await Promise.all([
      untilPhase(waiting, 'PendingPopulation'),
      untilPhase(direct, 'WaitForFirstConsumer'),
      untilReady(bound),
    ]);
    expect(await upload(await workingClaimOf(bound), image(diskFile.qcow2))).to.include({ status: 200 });
    await untilSucceeded(suite.client, bound);
  });

  it('fill a claim without a DataVolume', async () => {
    const key = nextKey();
    await suite.client.create(persistentVolumeClaims, {
      metadata: {
        ...key,
        annotations: { [populationAnnotation.uploadTarget]: '', [populationAnnotation.contentType]: 'kubevirt' },
      },
      spec: {
        accessModes: ['ReadWriteOnce'],
        storageClassName: suite.classes.standard,
        resources: { requests: { storage: '200Mi' } },
      },
    });
    const untilAnnotated = (name: string, value: string) =>
      until(suite.client, persistentVolumeClaims, key, `${name} is ${value}`, (claim) => {
        return claim?.metadata?.annotations?.[name] === value;
      });
    await untilAnnotated(stateAnnotation.podReady, 'true');
    expect(await upload(key, image(diskFile.qcow2))).to.include({ status: 200 });
    await untilAnnotated(stateAnnotation.podPhase, 'Succeeded');
    expect((await readVolume(suite, key, suite.disk.virtualSize)).sha256).to.equal(suite.disk.sha256);
  });

  it('fail of what is no disk that fits, with a sentence', async () => {
    const key = await make({});
    await untilReady(key);
    const { status, body } = await upload(await workingClaimOf(key), image(diskFile.large));
    expect(status).to.equal(400);
    const failed = await untilPhase(key, 'Failed');
    expect(conditionOf(failed, 'Running')).to.include({ reason: 'ImageTooLarge' });
    expect(body).to.contain('100 GiB');
    await untilTold(failed, ['UploadFailed datavolume-upload-controller']);
  });

  it('leave nothing when they are deleted while they wait', async () => {
    const before = await tracesIn(suite.client, [suite.namespace]);
    const keys = [await make({}), await make({ annotations: { [userAnnotation.usePopulator]: 'false' } })];
    await Promise.all(keys.map(untilReady));
    await Promise.all(keys.map((key) => suite.client.delete(dataVolumes, key)));
    await untilNothingElse(suite.client, [suite.namespace], before);
  });
});
