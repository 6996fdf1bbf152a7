import { volumeImportSources } from '../../../api/volume-import-source.ts';
import { type PersistentVolumeClaim, persistentVolumeClaims } from '../../../kube/builtin-resources.ts';
import { enqueueFrom } from '../../../kube/event-source.ts';
import { keyIf, type ObjectKey } from '../../../kube/key.ts';
import { claimsNaming } from '../../claims/population/populated-claims.ts';
import { populatedFrom } from '../../claims/population/populated-from.ts';
import { populationRights } from '../../claims/population/rights.ts';
import { promisedTo } from '../../claims/rebind/promises.ts';
import { mayOwn } from '../../runtime/rights.ts';
import type { ControllerSetup } from '../../runtime/setup.ts';
import { ImportPopulatorReconciler } from './reconciler.ts';

/** Fills claims that name a VolumeImportSource. */
export const importPopulator: ControllerSetup = {
  rights: [
    { resource: persistentVolumeClaims, verbs: ['get', 'create', 'patch'] },
    mayOwn(persistentVolumeClaims),
    ...populationRights,
    { resource: volumeImportSources, verbs: ['get'] },
  ],
  setup(host, context) {
    const { caches } = context;
    host.addController(new ImportPopulatorReconciler(context), {
      watches: [
        enqueueFrom(caches.claims, (claim) => [
          ...keyIf(claim, populatedFrom(claim, 'VolumeImportSource') !== undefined),
          ...ownersOf(claim),
        ]),
        enqueueFrom(caches.volumes, promisedTo),
        enqueueFrom(caches.importSources, (source) => claimsNaming(source, caches)),
      ],
    });
  },
};

/** Returns the claims that own a working claim. */
function ownersOf({ metadata }: PersistentVolumeClaim): ObjectKey[] {
  const namespace = metadata?.namespace ?? '';
  return (metadata?.ownerReferences ?? [])
    .filter(({ kind }) => kind === 'PersistentVolumeClaim')
    .map(({ name }) => ({ namespace, name }));
}
