import { configMaps, persistentVolumeClaims, secrets } from '../../../kube/builtin-resources.ts';
import { enqueueFrom } from '../../../kube/event-source.ts';
import { keyIf } from '../../../kube/key.ts';
import { workedFor } from '../../objects/work-index.ts';
import { mayOwn } from '../../runtime/rights.ts';
import type { ControllerSetup } from '../../runtime/setup.ts';
import { transferRights } from '../../transfers/rights.ts';
import { ImportReconciler } from './reconciler.ts';
import { isImportClaim } from './request.ts';

/** Fills claims whose annotations request an import, with an importer pod. */
export const importer: ControllerSetup = {
  rights: [
    ...transferRights,
    // An import may need a scratch claim.
    { resource: persistentVolumeClaims, verbs: ['get', 'create', 'delete'] },
    mayOwn(persistentVolumeClaims),
    // The import proxy's login and certificates are copied for each import, and the copies are never read.
    { resource: secrets, verbs: ['create', 'delete'] },
    { resource: configMaps, verbs: ['create', 'delete'] },
    { resource: configMaps, verbs: ['get'], within: 'installation' },
  ],
  setup(host, context) {
    const { caches } = context;
    host.addController(new ImportReconciler(context), {
      watches: [
        enqueueFrom(caches.claims, (claim) => keyIf(claim, isImportClaim(claim))),
        enqueueFrom(caches.pods, workedFor),
      ],
    });
  },
};
