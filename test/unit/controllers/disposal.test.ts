import { expect } from 'chai';
import fc from 'fast-check';
import { releaseContentOf } from '../../../src/controllers/claims/disposal/release-content.ts';
import { releaseVolumeOf } from '../../../src/controllers/claims/disposal/release-volume.ts';
import { deleteTemporary } from '../../../src/controllers/claims/population/delete-temporary.ts';
import { releasePromise } from '../../../src/controllers/claims/rebind/rebind-volume.ts';
import { PROVISIONED_BY_ANNOTATION } from '../../../src/controllers/objects/evidence.ts';
import {
  handedToAnnotation,
  promisedToAnnotation,
  reclaimPolicyAnnotation,
  workForAnnotation,
} from '../../../src/controllers/objects/internal-annotations.ts';
import { TemporaryVolumeReconciler } from '../../../src/controllers/temporary/volume-reconciler.ts';
import {
  type PersistentVolume,
  type PersistentVolumeClaim,
  persistentVolumeClaims,
  persistentVolumes,
} from '../../../src/kube/builtin-resources.ts';
import { keyOf } from '../../../src/kube/key.ts';
import {
  type VolumeSnapshot,
  volumeSnapshotClasses,
  volumeSnapshotContents,
  volumeSnapshots,
} from '../../../src/kube/snapshot-resources.ts';
import { rejection } from '../../support/rejection.ts';
import { refusal, SimulatedApi, type Write } from './world/api.ts';
import { SimulatedClient } from './world/client.ts';
import { LaggingCaches } from './world/lagging-caches.ts';

const TEAM = 'team';
const MARK = { [workForAnnotation]: 'target' };
const PRIME = 'prime-target';
/** As the simulated API server makes it. */
const PRIME_UID = `persistentvolumeclaim.${TEAM}.${PRIME}.1`;
const BOUND_PROTECTION = 'snapshot.storage.kubernetes.io/volumesnapshot-bound-protection';

/** The API server, what the controllers know of it, and what they are refused. */
class Rig {
  refuse: (write: Write) => void = () => undefined;
  time = Date.parse('2026-01-01T00:00:00Z');
  readonly told: { object: unknown; reason: string; message: string }[] = [];
  readonly api = new SimulatedApi(
    (write) => this.refuse(write),
    () => this.time,
  );
  readonly #caches = new LaggingCaches(this.api);
  readonly context = {
    client: new SimulatedClient(this.api, 'controllers').asKubeClient(),
    caches: this.#caches.caches,
    events: {
      event: (object: unknown, event: { reason: string; message: string }) => this.told.push({ object, ...event }),
    } as never,
    now: () => this.time,
  };

  deliver(): void {
    this.#caches.deliver();
  }

  claim(name: string, annotations: Record<string, string>, volumeName?: string): PersistentVolumeClaim {
    const spec = { accessModes: ['ReadWriteOnce'], ...(volumeName && { volumeName }) };
    return this.api.create('cluster', persistentVolumeClaims, {
      metadata: { namespace: TEAM, name, annotations, finalizers: ['kubernetes.io/pvc-protection'] },
      spec,
    });
  }

  volume(
    name: string,
    fields: Partial<PersistentVolume['spec']> = {},
    annotations: Record<string, string> = { [PROVISIONED_BY_ANNOTATION]: 'csi.example' },
  ): PersistentVolume {
    const volume: PersistentVolume = {
      metadata: { name, annotations },
      spec: {
        persistentVolumeReclaimPolicy: 'Retain',
        claimRef: { namespace: TEAM, name: PRIME, uid: PRIME_UID },
        ...fields,
      },
    };
    return this.api.create('cluster', persistentVolumes, volume);
  }

  policyOf(name: string): string | undefined {
    return this.api.find(persistentVolumes, { namespace: '', name })?.spec?.persistentVolumeReclaimPolicy;
  }
}

describe('the volume of a temporary claim', () => {
  it('goes with it only where it was provisioned for it, is its, and is not being handed over', async () => {
    const volumes = fc.record({
      name: fc.constantFrom(`pvc-${PRIME_UID}`, `vol-${PRIME_UID}`, 'pvc-of-another-claim', PRIME_UID, 'by-hand'),
      isProvisioned: fc.boolean(),
      claimUid: fc.constantFrom(PRIME_UID, 'another', undefined),
      isPromised: fc.boolean(),
      policy: fc.constantFrom('Retain', 'Recycle'),
      mark: fc.constantFrom(MARK, {}),
    });
    await fc.assert(
      fc.asyncProperty(volumes, async ({ name, isProvisioned, claimUid, isPromised, policy, mark }) => {
        const rig = new Rig();
        const claim = rig.claim(PRIME, mark, name);
        const claimRef = claimUid ? { namespace: TEAM, name: PRIME, uid: claimUid } : undefined;
        rig.volume(
          name,
          { persistentVolumeReclaimPolicy: policy, claimRef },
          {
            ...(isProvisioned && { [PROVISIONED_BY_ANNOTATION]: 'csi.example' }),
            ...(isPromised && { [promisedToAnnotation]: 'target' }),
          },
        );
        rig.deliver();
        const isIts = name.endsWith(`-${PRIME_UID}`) && isProvisioned && claimUid === PRIME_UID;
        const goes = isIts && !isPromised && policy === 'Retain' && mark === MARK;
        const reconciler = new TemporaryVolumeReconciler(rig.context);
        // Whatever changes of its claim, there is nothing to do for any other.
        expect(reconciler.volumeOf(claim)).to.have.length(goes ? 1 : 0);
        await reconciler.reconcile({ namespace: '', name });
        expect(rig.policyOf(name)).to.equal(goes ? 'Delete' : policy);
      }),
    );
  });

  it('has its reclaim policy kept, to be restored when it is handed over', async () => {
    const rig = new Rig();
    const claim = rig.claim(PRIME, MARK, `pvc-${PRIME_UID}`);
    rig.volume(`pvc-${PRIME_UID}`);
    // What the cache does not know yet, the API server does.
    await releaseVolumeOf(rig.context, claim);
    const released = rig.api.find(persistentVolumes, { namespace: '', name: `pvc-${PRIME_UID}` });
    expect(released?.spec?.persistentVolumeReclaimPolicy).to.equal('Delete');
    expect(released?.metadata?.annotations?.[reclaimPolicyAnnotation]).to.equal('Retain');
  });

  it('goes also where it was made only after the claim had gone', async () => {
    const rig = new Rig();
    const reconciler = new TemporaryVolumeReconciler(rig.context);
    const claim = rig.claim(PRIME, MARK);
    rig.api.delete('cluster', persistentVolumeClaims, keyOf(claim));
    reconciler.volumeOf(rig.api.find(persistentVolumeClaims, keyOf(claim)) ?? claim);
    const volume = rig.volume(`pvc-${PRIME_UID}`);
    rig.deliver();
    expect(reconciler.candidate(volume)).to.have.length(1);
    await reconciler.reconcile(keyOf(volume));
    expect(rig.policyOf(`pvc-${PRIME_UID}`)).to.equal('Delete');
  });

  it('goes also where the cache gets it before the end of its claim, which named no volume', async () => {
    const rig = new Rig();
    const reconciler = new TemporaryVolumeReconciler(rig.context);
    const claim = rig.claim(PRIME, MARK);
    const volume = rig.volume(`pvc-${PRIME_UID}`);
    rig.deliver();
    const deleted = { ...claim, metadata: { ...claim.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } };
    expect(reconciler.volumeOf(deleted)).to.deep.equal([keyOf(volume)]);
  });

  it('is not taken for that of a claim that somebody has given such a name, there or gone', async () => {
    const rig = new Rig();
    const reconciler = new TemporaryVolumeReconciler(rig.context);
    const claim = rig.claim(PRIME, {}, `pvc-${PRIME_UID}`);
    const volume = rig.volume(`pvc-${PRIME_UID}`);
    rig.deliver();
    await reconciler.reconcile(keyOf(volume));
    rig.api.delete('cluster', persistentVolumeClaims, keyOf(claim));
    reconciler.volumeOf(rig.api.find(persistentVolumeClaims, keyOf(claim)) ?? claim);
    rig.deliver();
    await reconciler.reconcile(keyOf(volume));
    expect(rig.policyOf(`pvc-${PRIME_UID}`)).to.equal('Retain');
  });

  it('is told of where it has to stay, and keeps no claim from going', async () => {
    const rig = new Rig();
    const reconciler = new TemporaryVolumeReconciler(rig.context);
    const claim = rig.claim(PRIME, MARK, `pvc-${PRIME_UID}`);
    const volume = rig.volume(`pvc-${PRIME_UID}`);
    rig.deliver();
    rig.refuse = ({ resource, before }) => {
      if (resource.kind === 'PersistentVolume' && before) throw refusal(403, 'Forbidden', 'a policy says no');
    };
    const failure = await rejection(reconciler.reconcile(keyOf(volume)));
    await reconciler.failed(keyOf(volume), failure as Error);
    expect(rig.told.map(({ reason }) => reason)).to.deep.equal(['VolumeRetained']);
    expect(rig.told[0]?.message).to.include(`${TEAM}/${PRIME}`).and.to.include('a policy says no');
    expect(await deleteTemporary(rig.context, [claim], [])).to.equal('deleted');
    expect(rig.api.find(persistentVolumeClaims, keyOf(claim))?.metadata?.deletionTimestamp).to.not.equal(undefined);
  });

  it('keeps the claim for another look where it has changed meanwhile', async () => {
    const rig = new Rig();
    const claim = rig.claim(PRIME, MARK, `pvc-${PRIME_UID}`);
    const volume = rig.volume(`pvc-${PRIME_UID}`);
    rig.deliver();
    rig.api.change('cluster', persistentVolumes, keyOf(volume), (current) => ({
      ...current,
      metadata: { ...current.metadata, labels: { changed: 'meanwhile' } },
    }));
    expect(await rejection(deleteTemporary(rig.context, [claim], []))).to.have.property('reason', 'Conflict');
    expect(rig.api.find(persistentVolumeClaims, keyOf(claim))?.metadata).to.not.have.property('deletionTimestamp');
  });
});

describe('a volume that was promised and is not handed over any more', () => {
  const promise = { [promisedToAnnotation]: 'target', 'cdi.kubevirt.io/rebind.workingUID': PRIME_UID };
  const claimRefs = {
    'the working claim’s': { namespace: TEAM, name: PRIME, uid: PRIME_UID },
    'the user’s': { namespace: TEAM, name: 'vm', uid: 'target' },
  };
  const cases: readonly [whose: keyof typeof claimRefs, name: string, policy: string][] = [
    ['the working claim’s', `pvc-${PRIME_UID}`, 'Delete'],
    ['the working claim’s', 'by-hand', 'Retain'],
    ['the user’s', `pvc-${PRIME_UID}`, 'Retain'],
  ];
  for (const [whose, name, policy] of cases) {
    it(`has policy ${policy} where it is ${whose} still, and called ${name.replace(PRIME_UID, 'UID')}`, async () => {
      const rig = new Rig();
      const annotations = {
        ...promise,
        [PROVISIONED_BY_ANNOTATION]: 'csi.example',
        [reclaimPolicyAnnotation]: 'Retain',
      };
      const volume = rig.volume(name, { claimRef: claimRefs[whose] }, annotations);
      await releasePromise(rig.context, volume);
      expect(rig.policyOf(name)).to.equal(policy);
      const left = rig.api.find(persistentVolumes, { namespace: '', name })?.metadata?.annotations ?? {};
      // What was handed to the user's claim goes on saying so.
      const handed = whose === 'the user’s' ? [handedToAnnotation] : [];
      expect(Object.keys(left)).to.have.members([PROVISIONED_BY_ANNOTATION, ...handed]);
    });
  }
});

describe('what was taken for a temporary snapshot', () => {
  const SNAPSHOT = { namespace: TEAM, name: 'tmp-snapshot-target' };
  const SNAPSHOT_UID = `volumesnapshot.${TEAM}.${SNAPSHOT.name}.1`;
  const CONTENT = { namespace: '', name: `snapcontent-${SNAPSHOT_UID}` };

  interface Taken {
    readonly uid?: string;
    readonly source?: { volumeHandle?: string; snapshotHandle?: string };
    readonly classPolicy?: 'Retain' | 'Delete';
  }

  function taken(
    rig: Rig,
    { uid = SNAPSHOT_UID, source = { volumeHandle: 'volume' }, classPolicy = 'Retain' }: Taken = {},
  ): VolumeSnapshot {
    rig.api.create('cluster', volumeSnapshotClasses, {
      metadata: { name: 'snapshots' },
      driver: 'csi.example',
      deletionPolicy: classPolicy,
    });
    const snapshot = rig.api.create('cluster', volumeSnapshots, {
      metadata: { ...SNAPSHOT, annotations: MARK, finalizers: ['snapshot.storage.kubernetes.io/as-source'] },
      spec: { source: { persistentVolumeClaimName: 'golden' }, volumeSnapshotClassName: 'snapshots' },
    });
    rig.api.create('cluster', volumeSnapshotContents, {
      metadata: { name: CONTENT.name },
      spec: {
        deletionPolicy: 'Retain',
        driver: 'csi.example',
        source,
        volumeSnapshotRef: { ...SNAPSHOT, uid },
      },
    });
    rig.deliver();
    return snapshot;
  }

  const policyOf = ({ api }: Rig) => api.find(volumeSnapshotContents, CONTENT)?.spec.deletionPolicy;
  const snapshotOf = ({ api }: Rig) => api.find(volumeSnapshots, SNAPSHOT) as VolumeSnapshot;

  it('is not to be retained, and the snapshot stays until the snapshot controller knows', async () => {
    const rig = new Rig();
    taken(rig);
    const look = () => deleteTemporary(rig.context, [], [snapshotOf(rig)]);
    expect(await look()).to.equal('waiting');
    expect(policyOf(rig)).to.equal('Delete');
    expect(await look()).to.equal('waiting');
    // The snapshot has changed by now, so that it is looked at.
    expect(Object.keys(snapshotOf(rig).metadata?.annotations ?? {})).to.have.length(2);
    rig.time += 1_000;
    expect(await look()).to.equal('waiting');
    expect(snapshotOf(rig).metadata).to.not.have.property('deletionTimestamp');
    rig.api.change('cluster', volumeSnapshots, SNAPSHOT, (snapshot) => ({
      ...snapshot,
      metadata: { ...snapshot.metadata, finalizers: [BOUND_PROTECTION] },
    }));
    expect(await look()).to.equal('deleted');
    expect(snapshotOf(rig).metadata).to.have.property('deletionTimestamp');
  });

  it('is not waited for, for ever', async () => {
    const rig = new Rig();
    taken(rig);
    const look = () => releaseContentOf(rig.context, snapshotOf(rig));
    expect([await look(), await look()]).to.deep.equal(['waiting', 'waiting']);
    rig.time += 5_000;
    expect(await look()).to.equal('released');
  });

  it('is nobody else’s, and was not there before', async () => {
    for (const other of [{ uid: 'another' }, { source: { snapshotHandle: 'before' } }]) {
      const rig = new Rig();
      taken(rig, other);
      expect(await deleteTemporary(rig.context, [], [snapshotOf(rig)])).to.equal('deleted');
      expect(policyOf(rig)).to.equal('Retain');
    }
  });

  it('is not asked for where its class has it deleted', async () => {
    const rig = new Rig();
    taken(rig, { classPolicy: 'Delete' });
    const { caches, now } = rig.context;
    const unasked = { caches, now, client: {} as never };
    expect(await releaseContentOf(unasked, snapshotOf(rig))).to.equal('released');
  });
});
