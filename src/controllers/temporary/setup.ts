import { persistentVolumes } from '../../kube/builtin-resources.ts';
import { enqueueFrom } from '../../kube/event-source.ts';
import { keyIf } from '../../kube/key.ts';
import { volumeSnapshotContents, volumeSnapshots } from '../../kube/snapshot-resources.ts';
import { workedFor } from '../objects/work-index.ts';
import type { ControllerSetup } from '../runtime/setup.ts';
import { TemporarySnapshotReconciler } from './snapshot-reconciler.ts';
import { TemporaryVolumeReconciler } from './volume-reconciler.ts';

/** Ensures that what the storage made for temporary objects is deleted with them, whatever their classes specify. */
export const temporary: ControllerSetup = {
  rights: [
    { resource: persistentVolumes, verbs: ['patch'] },
    { resource: volumeSnapshots, verbs: ['patch'] },
    { resource: volumeSnapshotContents, verbs: ['get', 'patch'] },
  ],
  setup(host, context) {
    const { caches } = context;
    const volumes = new TemporaryVolumeReconciler(context);
    host.addController(volumes, {
      watches: [
        enqueueFrom(caches.claims, (claim) => volumes.volumeOf(claim)),
        enqueueFrom(caches.volumes, (volume) => volumes.candidate(volume)),
      ],
    });
    host.addController(new TemporarySnapshotReconciler(context), {
      watches: [enqueueFrom(caches.snapshots, (snapshot) => keyIf(snapshot, workedFor(snapshot).length > 0))],
    });
  },
};
