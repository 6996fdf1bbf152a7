import { expect } from 'chai';
import type { CloneFallbackReason, CloneType } from '../../../../../src/api/clone.ts';
import { planClone } from '../../../../../src/controllers/clone/planner/planner.ts';
import type { CloneFacts } from '../../../../../src/controllers/clone/strategies/clone-facts.ts';
import type { WorkingPhase } from '../../../../../src/controllers/clone/strategies/strategy.ts';

const GIBIBYTE = 2 ** 30;

interface Changes {
  readonly source?: Partial<CloneFacts['source']>;
  readonly target?: Partial<CloneFacts['target']>;
  readonly consumer?: CloneFacts['consumer'];
  readonly override?: CloneFacts['override'];
  readonly wish?: CloneFacts['wish'];
  readonly profile?: CloneFacts['profile'];
  readonly snapshotClass?: string | undefined;
  readonly preferredSnapshotClass?: string;
}

const facts = (changes: Changes): CloneFacts => ({
  source: {
    kind: 'PersistentVolumeClaim',
    namespace: 'golden',
    driver: 'csi.example',
    volumeMode: 'Filesystem',
    capacity: GIBIBYTE,
    ...changes.source,
  },
  target: {
    namespace: 'team-a',
    storageClass: 'fast',
    driver: 'csi.example',
    volumeMode: 'Filesystem',
    request: GIBIBYTE,
    allowVolumeExpansion: true,
    ...changes.target,
  },
  consumer: changes.consumer,
  override: changes.override,
  wish: changes.wish,
  profile: changes.profile,
  snapshotClass: 'snapshotClass' in changes ? changes.snapshotClass : 'snapshots',
  preferredSnapshotClass: changes.preferredSnapshotClass,
});

interface Combination {
  readonly kind: CloneFacts['source']['kind'];
  readonly strategy: CloneType;
  readonly driver: 'same' | 'other' | 'none at the source' | 'none at the target';
  readonly mode: 'same' | 'other';
  /** What of the source the consumer's node reaches. */
  readonly reach: 'all' | 'snapshots' | 'nothing' | 'no consumer';
  readonly size: 'same' | 'larger';
  readonly expansion: boolean;
  readonly snapshotClass: boolean;
  readonly namespace: 'same' | 'other';
}

/** What has to come out, as a person would look it up: the first reason that applies, from the top. */
function expectedOf(each: Combination): { cloneType: CloneType; reason: CloneFallbackReason | undefined } {
  const isSnapshot = each.kind === 'VolumeSnapshot';
  if (each.strategy === 'copy') return { cloneType: 'copy', reason: undefined };
  const fallback = (reason: CloneFallbackReason) => ({ cloneType: 'copy' as const, reason });
  if (each.driver !== 'same') return fallback(isSnapshot ? 'NoProvisionerMatch' : 'IncompatibleProvisioners');
  if (each.mode === 'other') return fallback('IncompatibleVolumeModes');
  const needed = each.strategy === 'snapshot' || isSnapshot ? ['nothing'] : ['nothing', 'snapshots'];
  if (needed.includes(each.reach)) return fallback('IncompatibleTopology');
  if (each.size === 'larger' && !each.expansion) return fallback('NoVolumeExpansion');
  if (each.strategy === 'snapshot' && !isSnapshot && !each.snapshotClass) return fallback('NoVolumeSnapshotClass');
  return { cloneType: isSnapshot ? 'snapshot' : each.strategy, reason: undefined };
}

const PHASES: Readonly<Record<CombinationPhases, readonly WorkingPhase[]>> = {
  'PersistentVolumeClaim csi-clone': ['CSIClone', 'PrepClaim', 'Rebind'],
  'PersistentVolumeClaim snapshot': ['Snapshot', 'SnapshotClone', 'PrepClaim', 'Rebind'],
  'PersistentVolumeClaim copy': ['HostClone', 'Rebind'],
  'VolumeSnapshot snapshot': ['SnapshotClone', 'PrepClaim', 'Rebind'],
  'VolumeSnapshot copy': ['SnapshotClone', 'HostClone', 'Rebind'],
};
type CombinationPhases = `PersistentVolumeClaim ${CloneType}` | 'VolumeSnapshot snapshot' | 'VolumeSnapshot copy';

function* combinations(): Generator<Combination> {
  for (const kind of ['PersistentVolumeClaim', 'VolumeSnapshot'] as const)
    for (const strategy of ['csi-clone', 'snapshot', 'copy'] as const)
      for (const driver of ['same', 'other', 'none at the source', 'none at the target'] as const)
        for (const mode of ['same', 'other'] as const)
          for (const reach of ['all', 'snapshots', 'nothing', 'no consumer'] as const)
            for (const size of ['same', 'larger'] as const)
              for (const expansion of [true, false])
                for (const snapshotClass of [true, false])
                  for (const namespace of ['same', 'other'] as const)
                    yield { kind, strategy, driver, mode, reach, size, expansion, snapshotClass, namespace };
}

const factsOf = (each: Combination): CloneFacts =>
  facts({
    source: {
      kind: each.kind,
      namespace: each.namespace === 'same' ? 'team-a' : 'golden',
      driver: each.driver === 'none at the source' ? undefined : 'csi.example',
    },
    target: {
      driver:
        each.driver === 'none at the target' ? undefined : each.driver === 'other' ? 'other.example' : 'csi.example',
      volumeMode: each.mode === 'same' ? 'Filesystem' : 'Block',
      request: each.size === 'same' ? GIBIBYTE : 2 * GIBIBYTE,
      allowVolumeExpansion: each.expansion,
    },
    ...(each.reach !== 'no consumer' && {
      consumer: {
        node: 'node2',
        reachesVolume: each.reach === 'all',
        reachesSnapshots: each.reach !== 'nothing',
        reachedFrom: 'host in (node1)',
      },
    }),
    profile: each.strategy,
    snapshotClass: each.snapshotClass ? 'snapshots' : undefined,
  });

describe('the clone planner', () => {
  for (const kind of ['PersistentVolumeClaim', 'VolumeSnapshot'] as const) {
    for (const strategy of ['csi-clone', 'snapshot', 'copy'] as const) {
      it(`plans every combination where a ${kind} is to be cloned by ${strategy}`, () => {
        const all = [...combinations()].filter((each) => each.kind === kind && each.strategy === strategy);
        expect(all).to.have.lengthOf(512);
        for (const each of all) {
          const plan = planClone(factsOf(each));
          const { cloneType, reason } = expectedOf(each);
          const name = JSON.stringify(each);
          expect(plan.cloneType, name).to.equal(cloneType);
          expect(plan.fallback?.reason, name).to.equal(reason);
          expect(plan.phases, name).to.deep.equal(PHASES[`${kind} ${cloneType}` as CombinationPhases]);
          expect(plan.description.includes('expand'), name).to.equal(each.size === 'larger' && cloneType !== 'copy');
          if (reason) expect(plan.fallback?.message, name).to.match(/source|VolumeSnapshotClass/);
        }
      });
    }
  }

  it('prefers the override, then the wish of the claim’s author, then the profile, then snapshots', () => {
    expect(planClone(facts({ override: 'copy', wish: 'csi-clone', profile: 'snapshot' })).cloneType).to.equal('copy');
    expect(planClone(facts({ wish: 'snapshot', profile: 'csi-clone' })).cloneType).to.equal('snapshot');
    expect(planClone(facts({ wish: 'copy', profile: 'csi-clone' })).cloneType).to.equal('copy');
    expect(planClone(facts({ override: 'csi-clone', profile: 'copy' })).cloneType).to.equal('csi-clone');
    expect(planClone(facts({ override: 'copy', profile: 'csi-clone' })).cloneType).to.equal('copy');
    expect(planClone(facts({ profile: 'csi-clone' })).cloneType).to.equal('csi-clone');
    expect(planClone(facts({})).cloneType).to.equal('snapshot');
  });

  it('says in words what will be done', () => {
    const target = { request: 2 * GIBIBYTE };
    const snapshot = { kind: 'VolumeSnapshot' } as const;
    const described: readonly [Changes, string][] = [
      [{ profile: 'csi-clone', target }, 'csi-clone, then expand to 2 GiB, then rebind into team-a'],
      [{ profile: 'snapshot' }, 'snapshot, then restore it, then rebind into team-a'],
      [{ profile: 'copy' }, 'host-assisted copy, then rebind into team-a'],
      [{ source: snapshot, target }, 'restore the snapshot, then expand to 2 GiB, then rebind into team-a'],
      [{ source: snapshot, profile: 'copy' }, 'restore the snapshot, then host-assisted copy, then rebind into team-a'],
    ];
    for (const [changes, description] of described) {
      expect(planClone(facts(changes)).description).to.equal(description);
    }
  });

  it('names what is in the way', () => {
    const messageOf = (changes: Changes) => planClone(facts(changes)).fallback?.message;
    expect(messageOf({ target: { driver: 'other.example' } })).to.match(/csi\.example.*other\.example/);
    expect(messageOf({ target: { driver: undefined } })).to.match(/storage class fast has no CSI driver/);
    const consumer = { node: 'node2', reachesVolume: false, reachesSnapshots: false, reachedFrom: 'host in (node1)' };
    expect(messageOf({ consumer })).to.match(/"node2".*host in \(node1\)/);
    expect(messageOf({ snapshotClass: undefined, preferredSnapshotClass: 'mine' })).to.match(
      /StorageProfile fast names VolumeSnapshotClass mine/,
    );
  });

  it('takes a snapshot of unknown size to be large enough', () => {
    const target = { allowVolumeExpansion: false, request: 2 * GIBIBYTE };
    expect(planClone(facts({ source: { kind: 'VolumeSnapshot', capacity: 0 }, target })).cloneType).to.equal(
      'snapshot',
    );
  });
});
