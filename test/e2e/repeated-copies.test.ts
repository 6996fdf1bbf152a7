import { expect } from 'chai';
import { type DataVolume, dataVolumes } from '../../src/api/data-volume.ts';
import { clonePlanAnnotation } from '../../src/controllers/objects/internal-annotations.ts';
import { persistentVolumeClaims, pods } from '../../src/kube/builtin-resources.ts';
import type { ObjectKey } from '../../src/kube/key.ts';
import { volumeSnapshots } from '../../src/kube/snapshot-resources.ts';
import { transferResult } from '../../src/protocol/transfer-pod.ts';
import { dataVolume, untilSucceeded } from '../support/data-volumes.ts';
import { eventually } from '../support/eventually.ts';
import { SecondStorage } from '../support/second-storage.ts';
import { until } from '../support/until.ts';
import { eventsOf } from './support/events.ts';
import { hasOwnDriver } from './support/own-classes.ts';
import { Started } from './support/started.ts';
import { useSuite } from './support/suite.ts';
import { transferPodsOf } from './support/transfer-pods.ts';
import { makeClaim, runInVolume } from './support/volumes.ts';

const MEBIBYTE = 2 ** 20;
const SIZE = '160Mi';
const INCREMENTAL = 'cdi.kubevirt.io/storage.clone.incremental';

/** In MiB, of a source: what is changed between its two copies. */
interface Change {
  readonly at: number;
  readonly length: number;
}

/** By what the driver does; what it leaves out is most of the volume, so that no sample misses it. */
const changes = {
  right: [{ at: 100, length: 2 }],
  omit: [
    { at: 8, length: 112 },
    { at: 140, length: 2 },
  ],
} as const satisfies Record<string, readonly Change[]>;
type Behaviour = keyof typeof changes;

const behaviours = Object.keys(changes) as Behaviour[];
const classOf = (behaviour: Behaviour) => `diskpress-test-repeated-${behaviour}`;

interface Copy {
  readonly made: DataVolume;
  readonly plan: string;
  /** Bytes that the source has sent. */
  readonly sent: number;
  /** Bytes that the target had; undefined where it was empty. */
  readonly unchanged: number | undefined;
}

describe('repeated copies of a Block volume whose driver tells what has changed', function () {
  this.timeout(300_000);
  const suite = useSuite();
  const copies = new Started<readonly [Copy, Copy]>();
  let storage: SecondStorage | undefined;
  let elsewhere = '';

  before(async function () {
    if (!hasOwnDriver(suite)) this.skip();
    elsewhere = await suite.newNamespace();
    storage = await SecondStorage.start(suite, 'repeated', { tellsBlocks: true });
    await storage.addClass(classOf('right'), { cloneStrategy: 'copy' });
    await storage.addClass(classOf('omit'), { cloneStrategy: 'copy', snapshotParameters: { blockMetadata: 'omit' } });
    for (const behaviour of behaviours) copies.start(behaviour, () => copyTwice(behaviour));
  });

  after(() => storage?.stop());

  it('send what has changed', async () => {
    const [first, second] = await copies.outcome('right');
    expect(first.plan).to.match(/^host-assisted copy/);
    expect(first.unchanged).to.equal(undefined);
    expect(second.plan).to.match(/^copy of what has changed since 2/);
    expect(second.sent).to.be.within(2 * MEBIBYTE, 3 * MEBIBYTE);
    expect(second.unchanged).to.be.at.least(150 * MEBIBYTE);
  });

  it('send everything where the driver has left something out', async () => {
    const [, second] = await copies.outcome('omit');
    expect(second.plan).to.match(/^copy of what has changed since 2/);
    expect(second.unchanged).to.equal(0);
    await eventually('it is told that the driver was wrong', async () =>
      (await eventsOf(suite.client, second.made)).some(({ reason }) => reason === 'ChangedRangesWrong'),
    );
  });

  it('keep two snapshots of each source, until its owner does not want that any more', async () => {
    await Promise.all(behaviours.map((behaviour) => copies.outcome(behaviour)));
    await untilKept(2 * behaviours.length);
    for (const behaviour of behaviours) {
      await suite.client.mergePatch(persistentVolumeClaims, suite.key(behaviour), {
        metadata: { annotations: { [INCREMENTAL]: null } },
      });
    }
    await untilKept(0);
  });

  /** Copies a source, changes it, copies it again, and compares the two. */
  async function copyTwice(behaviour: Behaviour): Promise<readonly [Copy, Copy]> {
    const source = suite.key(behaviour);
    await makeClaim(suite, source, {
      storageClassName: classOf(behaviour),
      volumeMode: 'Block',
      size: SIZE,
      annotations: { [INCREMENTAL]: 'true' },
    });
    await write(source, [{ at: 0, length: 32 }]);
    const first = await copyInto(`${behaviour}-1`, source, classOf(behaviour));
    const sum = await write(source, changes[behaviour]);
    const second = await copyInto(`${behaviour}-2`, source, classOf(behaviour));
    const copied = { namespace: elsewhere, name: `${behaviour}-2` };
    expect(await runInVolume(suite, copied, { text: 'sha256sum < /dev/volume', volumeMode: 'Block' })).to.equal(sum);
    return [first, second];
  }

  /** Writes random data; resolves to the sum of the whole volume. */
  function write(key: ObjectKey, where: readonly Change[]): Promise<string> {
    const commands = where.map(
      ({ at, length }) =>
        `dd if=/dev/urandom of=/dev/volume bs=1M seek=${at} count=${length} oflag=direct conv=notrunc 2>/dev/null`,
    );
    const text = [...commands, 'sha256sum < /dev/volume'].join(' && ');
    return runInVolume(suite, key, { text, volumeMode: 'Block', writable: true });
  }

  async function copyInto(name: string, source: ObjectKey, storageClassName: string): Promise<Copy> {
    const { client } = suite;
    const key = { namespace: elsewhere, name };
    const annotations = { 'cdi.kubevirt.io/storage.pod.retainAfterCompletion': 'true' };
    const options = { storageClassName, volumeMode: 'Block', size: SIZE, annotations } as const;
    const made = await client.create(dataVolumes, dataVolume(key, { pvc: source }, options));
    // The claim that is written is gone when the copy is complete.
    const found = await transferPodsOf(client, key, source);
    await untilSucceeded(client, key, 120_000);
    const [sender, receiver] = await Promise.all([resultOf(found.source), resultOf(found.target)]);
    const claim = await client.get(persistentVolumeClaims, key);
    return {
      made,
      plan: claim?.metadata?.annotations?.[clonePlanAnnotation] ?? '',
      sent: sender.bytesWritten,
      unchanged: receiver.unchangedBytes,
    };
  }

  async function resultOf(pod: ObjectKey) {
    const message = await until(suite.client, pods, pod, 'it has ended', (found) => {
      return found?.status?.containerStatuses?.[0]?.state?.terminated?.message;
    });
    const result = transferResult.parse(JSON.parse(message));
    if (result.outcome !== 'succeeded') throw new Error(`pod ${pod.name} failed: ${message}`);
    return result;
  }

  const untilKept = (count: number) =>
    eventually(`${count} snapshots are kept`, async () => {
      return (await suite.client.list(volumeSnapshots, { namespace: suite.namespace })).length === count;
    });
});
