import { expect } from 'chai';
import { stateAnnotation } from '../../../../../src/api/annotations.ts';
import { finalizer } from '../../../../../src/api/finalizers.ts';
import { readPhaseTimes } from '../../../../../src/controllers/clone/metrics/phase-times.ts';
import { ClonePopulatorReconciler } from '../../../../../src/controllers/clone/populator/reconciler.ts';
import {
  cloneBegunAnnotation,
  handedToAnnotation,
  phaseTimesAnnotation,
  promisedToAnnotation,
} from '../../../../../src/controllers/objects/internal-annotations.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '../../../../../src/kube/builtin-resources.ts';
import type { KubeObject } from '../../../../../src/kube/resource.ts';
import { cachesOf } from '../../caches.ts';

const key = { namespace: 'team', name: 'disk' };
const uid = 'of-disk';
const START = Date.parse('2026-01-01T00:00:00Z');

function target(bound: boolean): PersistentVolumeClaim {
  return {
    metadata: {
      ...key,
      uid,
      finalizers: [finalizer.clonePopulator],
      annotations: {
        [stateAnnotation.cloneType]: 'csi-clone',
        [cloneBegunAnnotation]: uid,
        [phaseTimesAnnotation]: JSON.stringify({ CSIClone: new Date(START).toISOString() }),
      },
    },
    spec: {
      dataSourceRef: { apiGroup: 'cdi.kubevirt.io', kind: 'VolumeCloneSource', name: 'source' },
      ...(bound && { volumeName: 'volume' }),
    },
    status: { phase: bound ? 'Bound' : 'Pending' },
  };
}

function volume(annotation: string): PersistentVolume {
  return {
    metadata: { name: 'volume', uid: 'of-volume', annotations: { [annotation]: uid } },
    spec: { claimRef: { ...key, uid }, persistentVolumeReclaimPolicy: 'Retain' },
  };
}

describe('a clone whose last phase is over before it is reported', () => {
  it('counts it with its time', async () => {
    let now = START + 100;
    const counted: KubeObject[] = [];
    const written: KubeObject[] = [];
    const context = {
      client: { mergePatch: async (_: unknown, __: unknown, patch: KubeObject) => void written.push(patch) },
      cloneCount: { handedOver: (claim: KubeObject) => void counted.push(claim) },
      now: () => now,
      caches: cachesOf({ claims: [target(false)], volumes: [volume(promisedToAnnotation)] }),
    };
    const reconciler = new ClonePopulatorReconciler(context as never);
    expect(await reconciler.reconcile(key)).to.deep.equal({ requeueAfter: 1_000 });
    expect(written).to.deep.equal([]);
    now += 300;
    context.caches = cachesOf({ claims: [target(true)], volumes: [volume(handedToAnnotation)] });
    await reconciler.reconcile(key);
    const times = readPhaseTimes(counted[0]?.metadata?.annotations?.[phaseTimesAnnotation]);
    expect(times).to.deep.equal([
      ['CSIClone', START],
      ['Rebind', START + 100],
      ['Succeeded', START + 400],
    ]);
    expect(written).to.have.length(1);
  });
});
