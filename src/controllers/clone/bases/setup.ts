import { enqueueFrom } from '../../../kube/event-source.ts';
import { keyIf, keyOf, type ObjectKey } from '../../../kube/key.ts';
import type { KubeObject } from '../../../kube/resource.ts';
import { volumeSnapshotContents, volumeSnapshots } from '../../../kube/snapshot-resources.ts';
import { baseOfAnnotation } from '../../objects/internal-annotations.ts';
import type { Caches } from '../../runtime/caches.ts';
import type { ControllerSetup } from '../../runtime/setup.ts';
import { byBaseOf } from './base.ts';
import { BaseReconciler } from './reconciler.ts';

/** Removes what was kept of copies, once nothing begins with it any more. */
export const cloneBases: ControllerSetup = {
  rights: [
    { resource: volumeSnapshots, verbs: ['patch', 'delete'] },
    { resource: volumeSnapshotContents, verbs: ['get', 'patch'] },
  ],
  setup(host, context) {
    const { caches } = context;
    host.addController(new BaseReconciler(context), {
      watches: [
        enqueueFrom(caches.claims, (claim) => basesOf(caches, claim.metadata?.uid)),
        enqueueFrom(caches.snapshots, (snapshot) => [
          ...keyIf(snapshot, isOfBase(snapshot)),
          ...siblings(caches, snapshot),
        ]),
      ],
    });
  },
};

function basesOf({ snapshots }: Caches, sourceUid: string | undefined): ObjectKey[] {
  return sourceUid === undefined ? [] : snapshots.byIndex(byBaseOf, sourceUid).map(keyOf);
}

const siblings = (caches: Caches, { metadata }: KubeObject) =>
  basesOf(caches, metadata?.annotations?.[baseOfAnnotation]);

const isOfBase = ({ metadata }: KubeObject) => metadata?.annotations?.[baseOfAnnotation] !== undefined;
