import { keyFromString, keyOf, type Key } from '../kube/key.ts';
import type { Manager } from '../kube/manager.ts';
import type { PersistentVolumeClaim } from '../kube/builtin-resources.ts';
import type { KubeObject } from '../kube/resource.ts';
import { watch } from '../kube/watch.ts';
import { createCaches, type Caches } from './caches.ts';
import { CDIReconciler } from './cdi/reconciler.ts';
import { ClonePopulatorReconciler } from './clone-populator/reconciler.ts';
import { CDI_NAME, ConfigView } from './config-view.ts';
import type { ControllerContext } from './context.ts';
import { DataVolumeReconciler } from './data-volume/reconciler.ts';
import { HostCloneReconciler } from './host-clone/reconciler.ts';
import { ImportPopulatorReconciler } from './import-populator/reconciler.ts';
import { ImportReconciler } from './import/reconciler.ts';
import { promisedToClaimAnnotation, workForClaimAnnotation } from './internal-annotations.ts';
import type { InstallationSettings } from './settings.ts';
import { NO_PROVISIONER } from './storage-profile/known-provisioners.ts';
import { registerStorageProfileMetric } from './storage-profile/metric.ts';
import { StorageProfileReconciler } from './storage-profile/reconciler.ts';

/** Adds every controller to the manager: which there are, and what wakes each of them. */
export function addControllers(manager: Manager, installation: InstallationSettings & { version: string }): void {
  const caches = createCaches(manager);
  const context: ControllerContext = {
    client: manager.client,
    events: manager.events,
    caches,
    config: new ConfigView(caches, installation),
    now: () => Date.now(),
  };

  manager.addController(new CDIReconciler(context, installation.version), {
    watches: [
      watch(caches.cdis, () => cdiKeys(caches)),
      watch(caches.cdiConfigs, () => cdiKeys(caches)),
      watch(caches.storageClasses, () => cdiKeys(caches)),
    ],
  });
  manager.addController(new StorageProfileReconciler(context), {
    watches: [
      watch(caches.storageClasses),
      watch(caches.storageProfiles),
      watch(caches.snapshotClasses, () => caches.storageClasses.list().map(keyOf)),
      watch(caches.volumes, ({ spec }) => staticClassesOf(caches, spec?.storageClassName)),
    ],
  });
  registerStorageProfileMetric(manager.metrics.registry, caches);
  manager.addController(new DataVolumeReconciler(context), {
    // A claim is in the way of the DataVolume of its name also where it is not its own.
    watches: [watch(caches.dataVolumes), watch(caches.claims)],
  });
  manager.addController(new ImportPopulatorReconciler(context), {
    watches: [
      watch(caches.claims, (claim) => [keyOf(claim), ...ownersOf(claim, 'PersistentVolumeClaim')]),
      watch(caches.volumes, promisedTo),
      watch(caches.importSources, (source) => claimsNaming(source, caches.claims.list())),
    ],
  });
  manager.addController(new ClonePopulatorReconciler(context), {
    watches: [
      watch(caches.claims, (claim) => [keyOf(claim), ...workedFor(claim)]),
      watch(caches.snapshots, workedFor),
      watch(caches.pods, workedFor),
      watch(caches.volumes, promisedTo),
      watch(caches.cloneSources, (source) => claimsNaming(source, caches.claims.list())),
    ],
  });
  manager.addController(new ImportReconciler(context), {
    watches: [watch(caches.claims), watch(caches.pods, workedFor)],
  });
  manager.addController(new HostCloneReconciler(context), {
    watches: [watch(caches.claims), watch(caches.pods, workedFor)],
  });
}

/** The CDI objects there are, or the one that there should be. */
function cdiKeys(caches: Caches): Key[] {
  const keys = caches.cdis.list().map(keyOf);
  return keys.length > 0 ? keys : [{ namespace: '', name: CDI_NAME }];
}

/** The class of a volume whose profile is told from its volumes. */
function staticClassesOf({ storageClasses }: Caches, name: string | undefined): Key[] {
  const found = name === undefined ? undefined : storageClasses.get({ namespace: '', name });
  return found?.provisioner === NO_PROVISIONER ? [keyOf(found)] : [];
}

/** The claim that a temporary object or a pod was made for. */
function workedFor(object: KubeObject): Key[] {
  return fromAnnotation(object, workForClaimAnnotation);
}

/** The claim that a volume is promised to. */
function promisedTo(object: KubeObject): Key[] {
  return fromAnnotation(object, promisedToClaimAnnotation);
}

function fromAnnotation(object: KubeObject, name: string): Key[] {
  const value = object.metadata?.annotations?.[name];
  return value ? [keyFromString(value)] : [];
}

function ownersOf(object: KubeObject, kind: string): Key[] {
  const namespace = object.metadata?.namespace ?? '';
  return (object.metadata?.ownerReferences ?? [])
    .filter((reference) => reference.kind === kind)
    .map(({ name }) => ({ namespace, name }));
}

function claimsNaming(source: KubeObject, claims: readonly PersistentVolumeClaim[]): Key[] {
  return claims
    .filter(
      (claim) =>
        claim.metadata?.namespace === source.metadata?.namespace &&
        claim.spec?.dataSourceRef?.name === source.metadata?.name,
    )
    .map(keyOf);
}
