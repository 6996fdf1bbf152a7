import { expect } from 'chai';
import { type DataVolume, dataVolumes } from '../../src/api/data-volume.ts';
import { persistentVolumeClaims, persistentVolumes, type Pod, pods } from '../../src/kube/builtin-resources.ts';
import type { ObjectKey } from '../../src/kube/key.ts';
import { killContainer } from '../cluster/index.ts';
import { dataVolume, untilSucceeded } from '../support/data-volumes.ts';
import { eventually } from '../support/eventually.ts';
import { until } from '../support/until.ts';
import { LARGE_DATA, type LargeContent, makeLargeVolume, sumOfLargeVolume } from './support/large-volumes.ts';
import { hasOwnDriver } from './support/own-classes.ts';
import { Started } from './support/started.ts';
import { useSuite } from './support/suite.ts';
import { tracesIn, untilNothingElse } from './support/traces.ts';
import { observeCopy, SentData, type TransferPods, transferPodsOf, untilReplaced } from './support/transfer-pods.ts';

type Mode = 'Filesystem' | 'Block';

interface Kill {
  readonly end: 'source' | 'target';
  /** The pod without any grace, or what runs in it. */
  readonly of: 'pod' | 'container';
  /** How much of the disk has been copied by then. */
  readonly percent: number;
}

interface Copy {
  readonly content: LargeContent;
  readonly from: Mode;
  readonly to: Mode;
  /**
   * Whether one pod has both volumes, which is deleted as soon as it has a node; otherwise the claim is in another
   * namespace and there is no working claim, so that there are two pods.
   */
  readonly inOnePod?: true;
  readonly kills: readonly Kill[];
}

const copies: Record<string, Copy> = {
  'a Filesystem volume with a disk': {
    content: 'disk',
    from: 'Filesystem',
    to: 'Filesystem',
    kills: [
      { end: 'target', of: 'container', percent: 60 },
      { end: 'source', of: 'pod', percent: 75 },
    ],
  },
  'a Filesystem volume into a Block one': {
    content: 'disk',
    from: 'Filesystem',
    to: 'Block',
    kills: [
      { end: 'source', of: 'container', percent: 60 },
      { end: 'target', of: 'pod', percent: 75 },
    ],
  },
  'a Block volume into a Filesystem one': {
    content: 'disk',
    from: 'Block',
    to: 'Filesystem',
    kills: [
      { end: 'target', of: 'pod', percent: 60 },
      { end: 'source', of: 'container', percent: 75 },
    ],
  },
  'a tree of files': {
    content: 'tree',
    from: 'Filesystem',
    to: 'Filesystem',
    kills: [
      { end: 'source', of: 'pod', percent: 60 },
      { end: 'target', of: 'container', percent: 75 },
    ],
  },
  'a Filesystem volume with a disk, in one pod': {
    content: 'disk',
    from: 'Filesystem',
    to: 'Filesystem',
    inOnePod: true,
    kills: [],
  },
};

const kinds = [
  ['disk', 'Filesystem'],
  ['disk', 'Block'],
  ['tree', 'Filesystem'],
] as const;

/** More kills of each copy, of either end in either way, at a random place. */
const MORE_KILLS = Number(process.env.DISKPRESS_KILLS ?? 0);

describe('a copy whose pods are killed', function () {
  this.timeout(300_000 + MORE_KILLS * 30_000);
  const suite = useSuite();
  const sources = new Started<{ key: ObjectKey; sum: string; state: unknown }>();
  const finished = new Started<{ key: ObjectKey; sum: string; sent: number }>();
  let namespaces: string[] = [];
  let traces: string[] = [];

  before(async function () {
    // The processes of another cluster are not ours to kill, nor its pods to be reached from here.
    if (!hasOwnDriver(suite)) this.skip();
    const other = await suite.newNamespace();
    namespaces = [suite.namespace, other];
    for (const [content, volumeMode] of kinds) {
      const key = suite.key(`large-${content}-${volumeMode.toLowerCase()}`);
      sources.start(`${content} ${volumeMode}`, async () => {
        await makeLargeVolume(suite, key, content, { storageClassName: suite.classes.copy, volumeMode });
        return { key, sum: await sumOfLargeVolume(suite, key, content, volumeMode), state: await stateOf(key) };
      });
    }
    await Promise.all(kinds.map((kind) => sources.outcome(kind.join(' '))));
    traces = await tracesIn(suite.client, namespaces);
    Object.entries(copies).forEach(([title, copy], index) => {
      finished.start(title, () => copyWithKills({ namespace: other, name: `copied-${index}` }, copy));
    });
  });

  for (const [title, copy] of Object.entries(copies)) {
    it(`goes on where it was, with other ones: ${title}`, async () => {
      const { sum, sent } = await finished.outcome(title);
      const source = await sources.outcome(`${copy.content} ${copy.from}`);
      expect(sum).to.equal(source.sum);
      if (copy.inOnePod) return;
      // What lies between two checkpoints is lost with a target at most, twice where the second was being written, and
      // what is on its way with a source. All of it would be sent again at least 1.6 times.
      expect(sent)
        .to.be.lessThan((1.5 + 0.4 * MORE_KILLS) * LARGE_DATA)
        .and.to.be.greaterThan(0.9 * LARGE_DATA);
    });
  }

  it('leaves its source as it was, and nothing of its pods', async () => {
    for (const title of Object.keys(copies)) {
      const { key } = await finished.outcome(title);
      await suite.client.delete(dataVolumes, key);
    }
    await untilNothingElse(suite.client, namespaces, traces);
    for (const [content, volumeMode] of kinds) {
      const { key, sum, state } = await sources.outcome(`${content} ${volumeMode}`);
      expect(await sumOfLargeVolume(suite, key, content, volumeMode)).to.equal(sum);
      expect(await stateOf(key)).to.deep.equal(state);
    }
  });

  async function copyWithKills(key: ObjectKey, copy: Copy) {
    const { content, from, to, inOnePod } = copy;
    const source = await sources.outcome(`${content} ${from}`);
    await suite.client.create(dataVolumes, copyOf(key, source.key, copy));
    const found = await transferPodsOf(suite.client, key, source.key, { direct: !inOnePod });
    if (inOnePod) {
      // It may be at its end before anybody hears how far it is.
      const pod = await until(suite.client, pods, found.target, 'it has a node', (each) =>
        each?.spec?.nodeName ? each : undefined,
      );
      expect(pod.spec?.containers[0]?.name).to.equal('copy-volume');
      await kill(pod, 'pod');
      await untilSucceeded(suite.client, key, 240_000);
      return { key, sent: NaN, sum: await sumOfLargeVolume(suite, key, content, to) };
    }
    const kills = [...copy.kills, ...Array.from({ length: MORE_KILLS }, randomKill)];
    const sent = await killWhileItRuns(key, found, kills);
    await untilSucceeded(suite.client, key, 240_000);
    return { key, sent: sent.total, sum: await sumOfLargeVolume(suite, key, content, to) };
  }

  function copyOf(key: ObjectKey, source: ObjectKey, { content, to, inOnePod }: Copy): DataVolume {
    const annotations = inOnePod ? undefined : { 'cdi.kubevirt.io/storage.usePopulator': 'false' };
    const options = { storageClassName: suite.classes.copy, volumeMode: to, size: '800Mi', annotations };
    const object = dataVolume(key, { pvc: { ...source } }, options);
    return content === 'tree' ? { ...object, spec: { ...object.spec, contentType: 'archive' } } : object;
  }

  /** Kills one after the other, and adds up what is sent until the copy is over. */
  async function killWhileItRuns(key: ObjectKey, found: TransferPods, kills: readonly Kill[]): Promise<SentData> {
    const sent = new SentData();
    for (const { end, of, percent } of kills) {
      await eventually(
        `${percent} % of ${key.namespace}/${key.name} are copied`,
        async () => (await observeCopy(suite.client, found, sent)) >= percent,
        120_000,
      );
      const victim = await suite.client.get(pods, found[end]);
      await kill(victim, of);
      await untilReplaced(suite.client, found[end], victim?.metadata?.uid);
    }
    await eventually(
      `${key.namespace}/${key.name} is over`,
      async () => {
        await observeCopy(suite.client, found, sent);
        const phase = (await suite.client.get(dataVolumes, key))?.status?.phase;
        return phase !== 'CloneInProgress' && phase !== 'CloneScheduled';
      },
      120_000,
    );
    return sent;
  }

  async function kill(pod: Pod | undefined, what: 'pod' | 'container'): Promise<void> {
    const { namespace = '', name = '' } = pod?.metadata ?? {};
    if (what === 'pod') {
      await suite.client.delete(pods, { namespace, name }, { gracePeriodSeconds: 0 });
      return;
    }
    const running = await until(suite.client, pods, { namespace, name }, 'it has a container', (found) => {
      return found?.status?.containerStatuses?.[0]?.containerID;
    });
    expect(await killContainer(running), `whether ${name} was at work`).to.be.true;
  }

  /** What of a source's claim and volume somebody might have changed. */
  async function stateOf(key: ObjectKey) {
    const claim = await suite.client.get(persistentVolumeClaims, key);
    const volume = await suite.client.get(persistentVolumes, { namespace: '', name: claim?.spec?.volumeName ?? '' });
    const { uid, labels, annotations, ownerReferences, finalizers } = claim?.metadata ?? {};
    return { uid, labels, annotations, ownerReferences, finalizers, spec: claim?.spec, volume: volume?.spec };
  }
});

function randomKill(): Kill {
  const any = <T>(...values: readonly T[]): T => values[Math.floor(Math.random() * values.length)] as T;
  return { end: any('source', 'target'), of: any('pod', 'container'), percent: 5 + Math.floor(Math.random() * 85) };
}
