import { type PersistentVolumeClaim, persistentVolumeClaims } from '../../../kube/builtin-resources.ts';
import { enqueueFrom } from '../../../kube/event-source.ts';
import { keyIf, type ObjectKey } from '../../../kube/key.ts';
import type { KubeObject } from '../../../kube/resource.ts';
import { claimsNaming } from '../../claims/population/populated-claims.ts';
import { populatedFrom } from '../../claims/population/populated-from.ts';
import { populationRights } from '../../claims/population/rights.ts';
import { promisedTo } from '../../claims/rebind/promises.ts';
import { mayOwn } from '../../runtime/rights.ts';
import type { ControllerSetup } from '../../runtime/setup.ts';
import type { PopulationKind } from './population-kind.ts';
import { PopulationReconciler } from './population-reconciler.ts';

/** Returns the controller that fills claims by a kind of population. */
export function populationController<Source extends KubeObject>(kind: PopulationKind<Source>): ControllerSetup {
  return {
    rights: [
      { resource: persistentVolumeClaims, verbs: ['get', 'create', 'patch'] },
      mayOwn(persistentVolumeClaims),
      ...populationRights,
      { resource: kind.resource, verbs: ['get'] },
    ],
    setup(host, context) {
      const { caches } = context;
      // A claim that the cache does not have yet wakes the controller itself.
      const isFilled = (key: ObjectKey) => {
        const claim = caches.claims.get(key);
        return claim !== undefined && populatedFrom(claim, kind.resource.kind) !== undefined;
      };
      host.addController(new PopulationReconciler(kind, context), {
        watches: [
          enqueueFrom(caches.claims, (claim) => [
            ...keyIf(claim, populatedFrom(claim, kind.resource.kind) !== undefined),
            ...ownersOf(claim).filter(isFilled),
          ]),
          enqueueFrom(caches.volumes, (volume) => promisedTo(volume).filter(isFilled)),
          enqueueFrom(kind.cacheOf(caches), (source) => claimsNaming(source, caches)),
        ],
      });
    },
  };
}

/** Returns the claims that own a working claim. */
function ownersOf({ metadata }: PersistentVolumeClaim): ObjectKey[] {
  const namespace = metadata?.namespace ?? '';
  return (metadata?.ownerReferences ?? [])
    .filter(({ kind }) => kind === 'PersistentVolumeClaim')
    .map(({ name }) => ({ namespace, name }));
}
