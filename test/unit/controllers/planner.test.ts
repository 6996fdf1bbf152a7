import { expect } from 'chai';
import { planClone, type CloneFacts } from '../../../src/controllers/clone-populator/planner.ts';

const GIBIBYTE = 2 ** 30;

const facts = (changes: {
  source?: Partial<CloneFacts['source']>;
  target?: Partial<CloneFacts['target']>;
  override?: CloneFacts['override'];
  profile?: CloneFacts['profile'];
  snapshotClass?: string | undefined;
}): CloneFacts => ({
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
  override: changes.override,
  profile: changes.profile,
  snapshotClass: 'snapshotClass' in changes ? changes.snapshotClass : 'snapshots',
});

describe('the clone planner', () => {
  it('prefers the override, then the profile, then snapshots', () => {
    expect(planClone(facts({ override: 'csi-clone', profile: 'copy' })).cloneType).to.equal('csi-clone');
    expect(planClone(facts({ profile: 'csi-clone' })).cloneType).to.equal('csi-clone');
    expect(planClone(facts({})).cloneType).to.equal('snapshot');
  });

  it('copies because that was asked for, which is no fallback', () => {
    const plan = planClone(facts({ profile: 'copy' }));
    expect(plan).to.deep.include({ cloneType: 'copy', fallback: undefined, phases: ['HostClone', 'Rebind'] });
  });

  it('orders the phases of each strategy', () => {
    expect(planClone(facts({ profile: 'csi-clone' })).phases).to.deep.equal(['CSIClone', 'PrepClaim', 'Rebind']);
    expect(planClone(facts({ profile: 'snapshot' })).phases).to.deep.equal([
      'Snapshot',
      'SnapshotClone',
      'PrepClaim',
      'Rebind',
    ]);
  });

  it('restores a snapshot source whatever smart strategy is wanted, and copies from a restored one', () => {
    const source = { kind: 'VolumeSnapshot' } as const;
    for (const profile of ['csi-clone', 'snapshot'] as const) {
      const plan = planClone(facts({ source, profile }));
      expect(plan).to.deep.include({ cloneType: 'snapshot', phases: ['SnapshotClone', 'PrepClaim', 'Rebind'] });
    }
    expect(planClone(facts({ source, profile: 'copy' })).phases).to.deep.equal([
      'SnapshotClone',
      'HostClone',
      'Rebind',
    ]);
  });

  const obstacles: readonly [string, Parameters<typeof facts>[0], string][] = [
    ['the source has no CSI driver', { source: { driver: undefined } }, 'NoProvisionerMatch'],
    ['the target class has no CSI driver', { target: { driver: undefined } }, 'NoProvisionerMatch'],
    ['the drivers differ', { target: { driver: 'other.example' } }, 'IncompatibleProvisioners'],
    ['the volume modes differ', { target: { volumeMode: 'Block' } }, 'IncompatibleVolumeModes'],
    [
      'the target is larger and may not grow',
      { target: { request: 2 * GIBIBYTE, allowVolumeExpansion: false } },
      'NoVolumeExpansion',
    ],
  ];
  for (const strategy of ['csi-clone', 'snapshot'] as const) {
    for (const [name, changes, reason] of obstacles) {
      it(`falls back from ${strategy} where ${name}`, () => {
        const plan = planClone(facts({ ...changes, profile: strategy }));
        expect(plan.cloneType).to.equal('copy');
        expect(plan.fallback?.reason).to.equal(reason);
      });
    }
  }

  it('needs a snapshot class for snapshots only', () => {
    const without = { snapshotClass: undefined };
    expect(planClone(facts({ ...without, profile: 'snapshot' })).fallback?.reason).to.equal('NoVolumeSnapshotClass');
    expect(planClone(facts({ ...without, profile: 'csi-clone' })).cloneType).to.equal('csi-clone');
    expect(planClone(facts({ ...without, source: { kind: 'VolumeSnapshot' } })).cloneType).to.equal('snapshot');
  });

  it('lets a target grow where the class allows it', () => {
    const plan = planClone(facts({ profile: 'csi-clone', target: { request: 2 * GIBIBYTE } }));
    expect(plan.cloneType).to.equal('csi-clone');
    expect(plan.description).to.equal('csi-clone, then expand to 2 GiB, then rebind into team-a');
  });
});
