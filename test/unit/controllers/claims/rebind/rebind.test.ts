import { expect } from 'chai';
import fc from 'fast-check';
import { nextRebindStep, type RebindStep } from '../../../../../src/controllers/claims/rebind/decide.ts';

const TARGET = 'target-uid';
const WORKING = 'working-uid';

/** The cluster as far as a rebind is concerned, with its own controllers' part in it. */
class Cluster {
  working: { deletedFor?: number; mounted: boolean } | undefined = { mounted: false };
  claimUid: string | undefined = WORKING;
  promisedTo: string | undefined;
  promisedBy: string | undefined;
  policy: string;
  bound = false;
  lost = false;
  readonly originalPolicy: string;

  constructor(policy: string) {
    this.policy = policy;
    this.originalPolicy = policy;
  }

  decide(): RebindStep {
    return nextRebindStep({
      target: { uid: TARGET, bound: this.bound, volumeName: this.bound ? 'volume' : undefined },
      working: this.working && { uid: WORKING, deletedFor: undefined, ...this.working },
      volume: {
        name: 'volume',
        reclaimPolicy: this.policy,
        claimUid: this.claimUid,
        promisedTo: this.promisedTo,
        promisedBy: this.promisedBy,
      },
    });
  }

  act(step: RebindStep): void {
    switch (step.do) {
      case 'retain':
        this.promisedTo = TARGET;
        this.promisedBy = WORKING;
        this.policy = 'Retain';
        return;
      case 'delete-working-claim':
        if (this.working) this.working.deletedFor ??= 0;
        return;
      case 'force-working-claim':
        if (this.working) this.working.deletedFor ??= 0;
        this.claimUid = TARGET;
        return;
      case 'point-at-target':
        this.claimUid = TARGET;
        return;
      case 'restore-policy':
        this.policy = this.originalPolicy;
        this.promisedTo = undefined;
        this.promisedBy = undefined;
        return;
      default:
    }
  }

  /** What Kubernetes does by itself between two looks; a pod may keep a claim that is being deleted for a while. */
  tick(released = true): void {
    if (this.claimUid === TARGET) this.bound = true;
    if (this.working) this.working.mounted = !released;
    if (this.working?.deletedFor !== undefined) this.working.deletedFor += 1_000;
    if (this.working?.deletedFor !== undefined && released) this.working = undefined;
    // The persistent volume controller deletes a released volume unless it is to be retained.
    const claimed = this.claimUid === TARGET || this.working !== undefined;
    if (!claimed && this.policy === 'Delete') this.lost = true;
  }
}

describe('the steps of a rebind', () => {
  it('lead to the target with the policy restored, and never risk the volume, wherever the controller is killed', () => {
    const turn = fc.constantFrom('step', 'tick', 'tick while a pod is there', 'killed after deciding');
    fc.assert(
      fc.property(fc.constantFrom('Delete', 'Retain'), fc.array(turn, { maxLength: 40 }), (policy, turns) => {
        const cluster = new Cluster(policy);
        for (const name of turns) {
          if (name === 'tick') cluster.tick();
          else if (name === 'tick while a pod is there') cluster.tick(false);
          else if (name === 'step') cluster.act(cluster.decide());
          else cluster.decide();
          expect(cluster.lost, 'the volume was reclaimed').to.equal(false);
        }
        for (let round = 0; round < 10; round += 1) {
          cluster.act(cluster.decide());
          cluster.tick();
        }
        expect(cluster.lost).to.equal(false);
        expect(cluster).to.deep.include({ bound: true, claimUid: TARGET, policy, working: undefined });
        expect(cluster.decide()).to.deep.equal({ do: 'nothing' });
      }),
    );
  });

  it('do not wait for a pod that keeps the working claim', () => {
    const cluster = new Cluster('Delete');
    cluster.tick(false);
    for (let round = 0; round < 4; round += 1) {
      cluster.act(cluster.decide());
      cluster.tick(false);
    }
    expect(cluster).to.deep.include({ bound: true, policy: 'Delete' });
    expect(cluster.working).to.include({ mounted: true });
  });

  it('wait for Kubernetes to remove a working claim that no pod keeps, but not for long', () => {
    const cluster = new Cluster('Delete');
    cluster.act(cluster.decide());
    expect(cluster.decide()).to.deep.equal({ do: 'delete-working-claim' });
    cluster.act(cluster.decide());
    expect(cluster.decide()).to.include({ do: 'wait', after: 2_000 });
    if (cluster.working) cluster.working.deletedFor = 2_001;
    expect(cluster.decide()).to.deep.equal({ do: 'force-working-claim' });
  });

  it('sets Retain again before going on, should somebody have changed it', () => {
    const cluster = new Cluster('Delete');
    cluster.act(cluster.decide());
    cluster.policy = 'Delete';
    expect(cluster.decide()).to.deep.equal({ do: 'retain' });
  });

  describe('never take a volume that is not the working claim’s', () => {
    const volume = {
      name: 'volume',
      reclaimPolicy: 'Delete',
      claimUid: 'somebody',
      promisedTo: undefined,
      promisedBy: undefined,
    };
    const target = { uid: TARGET, bound: false, volumeName: undefined };
    const claims = fc.record({
      uid: fc.constantFrom(WORKING, TARGET),
      deletedFor: fc.constantFrom(undefined, 0, 5_000),
      mounted: fc.boolean(),
    });
    const working = fc.option(claims, { nil: undefined });
    const policy = fc.constantFrom('Delete', 'Retain', 'Recycle');

    it('which a claim may name all the same', () => {
      const claimUid = fc.constantFrom('somebody', undefined);
      fc.assert(
        fc.property(working, policy, claimUid, (claim, reclaimPolicy, uid) => {
          const world = { target, working: claim, volume: { ...volume, reclaimPolicy, claimUid: uid } };
          expect(nextRebindStep(world).do).to.equal('wait');
        }),
      );
    });

    it('nor hand over anything to a claim that names another one', () => {
      const bound = fc.boolean();
      fc.assert(
        fc.property(working, policy, bound, fc.boolean(), (claim, reclaimPolicy, isBound, isPromised) => {
          const given = {
            ...volume,
            reclaimPolicy,
            claimUid: WORKING,
            ...(isPromised && { promisedTo: TARGET, promisedBy: WORKING }),
          };
          const named = { uid: TARGET, bound: isBound, volumeName: 'another' };
          expect(nextRebindStep({ target: named, working: claim, volume: given }).do).to.equal('abandon');
        }),
      );
    });

    it('also one that was promised, and that somebody else has bound since', () => {
      fc.assert(
        fc.property(working, policy, (claim, reclaimPolicy) => {
          const promised = { ...volume, reclaimPolicy, promisedTo: TARGET, promisedBy: WORKING };
          expect(nextRebindStep({ target, working: claim, volume: promised }).do).to.equal('wait');
        }),
      );
    });

    it('nor delete another claim of the working claim’s name', () => {
      const promised = {
        ...volume,
        reclaimPolicy: 'Retain',
        claimUid: WORKING,
        promisedTo: TARGET,
        promisedBy: WORKING,
      };
      const planted = { uid: 'planted', deletedFor: undefined, mounted: false };
      expect(nextRebindStep({ target, working: planted, volume: promised }).do).to.equal('point-at-target');
    });
  });
});
