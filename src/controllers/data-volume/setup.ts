import { dataVolumes } from '../../api/data-volume.ts';
import { volumeCloneSources } from '../../api/volume-clone-source.ts';
import { volumeImportSources } from '../../api/volume-import-source.ts';
import { volumeUploadSources } from '../../api/volume-upload-source.ts';
import { events, persistentVolumeClaims } from '../../kube/builtin-resources.ts';
import { enqueueFrom } from '../../kube/event-source.ts';
import { keyIf, keyOf } from '../../kube/key.ts';
import { isBeingBound } from '../claims/being-bound.ts';
import { issueRights } from '../clone/grants/rights.ts';
import { sourceRights } from '../clone/source/rights.ts';
import { mayOwn } from '../runtime/rights.ts';
import { type ControllerSetup, MANY_WORKERS } from '../runtime/setup.ts';
import { registerDataVolumeMetrics } from './metrics.ts';
import { DataVolumeReconciler } from './reconciler.ts';
import { ungrantedClones, unmadeClonesOf } from './waiting.ts';

/** Creates what each DataVolume asks for, and reports the progress on it. */
export const dataVolume: ControllerSetup = {
  rights: [
    { resource: dataVolumes, verbs: ['patch'] },
    { resource: dataVolumes, subresource: 'status', verbs: ['patch'] },
    mayOwn(dataVolumes),
    { resource: persistentVolumeClaims, verbs: ['get', 'create', 'patch'] },
    mayOwn(persistentVolumeClaims),
    { resource: volumeImportSources, verbs: ['get', 'create', 'patch'] },
    { resource: volumeUploadSources, verbs: ['get', 'create'] },
    { resource: volumeCloneSources, verbs: ['get', 'create'] },
    // The reason for which a CSI driver fails to fill a claim is found only in events.
    { resource: events, verbs: ['list'] },
    ...issueRights,
    ...sourceRights,
  ],
  setup(host, context) {
    const { caches } = context;
    host.addController(new DataVolumeReconciler(context), {
      workers: MANY_WORKERS,
      // A claim can block the DataVolume of the same name even where another owner created it.
      watches: [
        enqueueFrom(caches.dataVolumes),
        enqueueFrom(
          caches.claims,
          (claim) => [
            ...keyIf(claim, caches.dataVolumes.get(keyOf(claim)) !== undefined),
            ...unmadeClonesOf('claim', claim, caches),
          ],
          { ignores: isBeingBound },
        ),
        enqueueFrom(caches.dataSources, (dataSource) => unmadeClonesOf('dataSource', dataSource, caches)),
        enqueueFrom(caches.snapshots, (snapshot) => unmadeClonesOf('snapshot', snapshot, caches)),
        enqueueFrom(caches.policies, () => ungrantedClones(caches)),
        enqueueFrom(caches.policyBindings, () => ungrantedClones(caches)),
      ],
    });
    registerDataVolumeMetrics(host.metrics.registry, caches);
  },
};
