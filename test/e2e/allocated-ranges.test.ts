import { expect } from 'chai';
import { dataVolumes } from '../../src/api/data-volume.ts';
import { pods } from '../../src/kube/builtin-resources.ts';
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
const SIZE = 160;
/** In MiB: where random data is written to each source. */
const written = [
  { at: 3, length: 32 },
  { at: 100, length: 16 },
] as const;
const WRITTEN = written.reduce((sum, { length }) => sum + length, 0);

/** What is wrong with the answer of the driver, and what is told of the copy that was made nevertheless. */
const behaviours = {
  right: 'host-assisted copy of what is allocated',
  cut: 'host-assisted copy of what is allocated',
  omit: 'the driver of the source had left out data',
  overlap: 'what is allocated is not known',
  capacity: 'what is allocated is not known',
  refuse: 'what is allocated is not known',
  break: 'what is allocated is not known',
} as const;
type Behaviour = keyof typeof behaviours;

const names = Object.keys(behaviours) as Behaviour[];
const classOf = (behaviour: Behaviour) => `diskpress-test-allocated-${behaviour}`;

describe('copies of a Block volume whose driver tells what is allocated', function () {
  this.timeout(300_000);
  const suite = useSuite();
  const copies = new Started<{ read: number }>();
  let storage: SecondStorage | undefined;

  before(async function () {
    if (!hasOwnDriver(suite)) this.skip();
    const started = await SecondStorage.start(suite, 'allocated', { tellsBlocks: true });
    storage = started;
    await Promise.all(
      names.map((name) =>
        started.addClass(classOf(name), {
          cloneStrategy: 'copy',
          ...(name !== 'right' && { snapshotParameters: { blockMetadata: name } }),
        }),
      ),
    );
    for (const name of names) copies.start(name, () => copyOf(name));
    copies.start('in full', () => copyOf('right', { 'cdi.kubevirt.io/storage.clone.verify': 'full' }));
  });

  after(() => storage?.stop());

  for (const name of ['right', 'cut'] as const) {
    it(`read only that, and say so: ${name}`, async () => {
      const { read } = await copies.outcome(name);
      expect(read).to.be.within(WRITTEN * MEBIBYTE, 1.05 * WRITTEN * MEBIBYTE);
    });
  }

  for (const name of names.filter((each) => each !== 'right' && each !== 'cut')) {
    it(`read everything where the answer is not right, and say so: ${name}`, async () => {
      expect((await copies.outcome(name)).read).to.equal(SIZE * MEBIBYTE);
    });
  }

  it('read everything where they are asked to', async () => {
    expect((await copies.outcome('in full')).read).to.equal(SIZE * MEBIBYTE);
  });

  it('leave no snapshots behind', async () => {
    await Promise.all([...names, 'in full'].map((name) => copies.outcome(name)));
    await eventually('no snapshots are left', async () => {
      return (await suite.client.list(volumeSnapshots, { namespace: suite.namespace })).length === 0;
    });
  });

  /**
   * Writes a source, copies it, and compares the two.
   *
   * @returns the bytes that were read, without samples
   */
  async function copyOf(behaviour: Behaviour, wish?: Record<string, string>): Promise<{ read: number }> {
    const { client } = suite;
    const source = suite.key(wish ? `${behaviour}-in-full` : behaviour);
    const key = suite.key(`copy-of-${source.name}`);
    const volume = { storageClassName: classOf(behaviour), volumeMode: 'Block', size: `${SIZE}Mi` } as const;
    await makeClaim(suite, source, volume);
    const sum = await runInVolume(suite, source, {
      text: [...written.map(writeRandom), 'sha256sum < /dev/volume'].join(' && '),
      volumeMode: 'Block',
      writable: true,
    });
    const annotations = { 'cdi.kubevirt.io/storage.pod.retainAfterCompletion': 'true', ...wish };
    const made = await client.create(dataVolumes, dataVolume(key, { pvc: source }, { ...volume, annotations }));
    // The claim that is written is gone when the copy is complete.
    const { source: pod } = await transferPodsOf(client, key, source);
    await untilSucceeded(client, key, 120_000);
    const message = await until(client, pods, pod, 'it has ended', (found) => {
      return found?.status?.containerStatuses?.[0]?.state?.terminated?.message;
    });
    if (!wish) {
      await eventually(`what is told of ${key.name} includes "${behaviours[behaviour]}"`, async () =>
        (await eventsOf(client, made)).some((event) => event.message?.includes(behaviours[behaviour])),
      );
    }
    expect(await sumOf(key)).to.equal(sum);
    const result = transferResult.parse(JSON.parse(message));
    return { read: result.outcome === 'succeeded' ? result.bytesRead : NaN };
  }

  const writeRandom = ({ at, length }: (typeof written)[number]) =>
    `dd if=/dev/urandom of=/dev/volume bs=1M seek=${at} count=${length} oflag=direct conv=notrunc 2>/dev/null`;

  const sumOf = (key: ObjectKey) => runInVolume(suite, key, { text: 'sha256sum < /dev/volume', volumeMode: 'Block' });
});
