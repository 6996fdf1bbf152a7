import { cloneGrants } from '../../../api/clone-grant.ts';
import { nodes, persistentVolumeClaims, secrets, services } from '../../../kube/builtin-resources.ts';
import { enqueueFrom } from '../../../kube/event-source.ts';
import { keyIf } from '../../../kube/key.ts';
import { volumeSnapshotContents, volumeSnapshots } from '../../../kube/snapshot-resources.ts';
import { workedFor } from '../../objects/work-index.ts';
import { mayOwn } from '../../runtime/rights.ts';
import type { ControllerSetup } from '../../runtime/setup.ts';
import { transferRights } from '../../transfers/rights.ts';
import { TransferMetrics } from '../../transfers/transfer-metrics.ts';
import { dataVolumeKeyOf } from '../grants/authority.ts';
import type { CloneContext } from '../metrics/clone-count.ts';
import { sourceRights } from '../source/rights.ts';
import { cloneRequestOf, CopyReconciler } from './reconciler.ts';

/** Fills claims whose annotations request a copy, with one pod or a pod at each end. */
export const cloneCopy: ControllerSetup<CloneContext> = {
  rights: [
    ...sourceRights,
    ...transferRights,
    mayOwn(persistentVolumeClaims),
    { resource: services, verbs: ['get', 'create', 'delete'] },
    // The keys of both ends are created for one copy, and only its pods read them.
    { resource: secrets, verbs: ['create', 'delete'] },
    { resource: cloneGrants, verbs: ['patch'] },
    // Whether the node of a target's consumer reaches the source.
    { resource: nodes, verbs: ['get'] },
    // By which a driver tells what is allocated.
    { resource: volumeSnapshots, verbs: ['get', 'create', 'delete'] },
    { resource: volumeSnapshotContents, verbs: ['get', 'patch'] },
  ],
  setup(host, context) {
    const { caches } = context;
    host.addController(new CopyReconciler(context, TransferMetrics.of(host.metrics.registry)), {
      watches: [
        enqueueFrom(caches.claims, (claim) => keyIf(claim, cloneRequestOf(claim) !== undefined)),
        enqueueFrom(caches.cloneGrants, (grant) => [dataVolumeKeyOf(grant)]),
        enqueueFrom(caches.pods, workedFor),
        enqueueFrom(caches.snapshots, workedFor),
      ],
    });
  },
};
