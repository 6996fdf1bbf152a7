import { keyFromString, keyOf, keyToString, type Key } from '../kube/key.ts';
import type { Manager } from '../kube/manager.ts';
import type { PersistentVolumeClaim } from '../kube/builtin-resources.ts';
import type { KubeObject } from '../kube/resource.ts';
import { watch } from '../kube/watch.ts';
import { BY_DATA_SOURCE, BY_DEPENDENCY, BY_TARGET_KEY, type Caches } from './runtime/caches.ts';
import { CDIReconciler } from './cdi/reconciler.ts';
import { CloneGrantReconciler, dataVolumeKeyOf } from './clone/grants/reconciler.ts';
import { ClonePopulatorReconciler } from './clone/populator/reconciler.ts';
import { clonesWaitingFor, clonesWaitingForPod, clonesWaitingForVolume } from './clone/populator/waiting-clones.ts';
import { CDI_NAME } from './runtime/config-view.ts';
import { createContext } from './create-context.ts';
import { dependency } from './references/data-source-of.ts';
import { DataSourceReconciler } from './data-source/reconciler.ts';
import { registerDataVolumeMetrics } from './data-volume/metrics.ts';
import { DataVolumeReconciler } from './data-volume/reconciler.ts';
import { cloneRequestOf, HostCloneReconciler } from './clone/copy/reconciler.ts';
import { ImportPopulatorReconciler } from './import/populator/reconciler.ts';
import { ImportReconciler } from './import/importer/reconciler.ts';
import { isImportClaim } from './import/importer/request.ts';
import { promisedToClaimAnnotation, workForClaimAnnotation } from './objects/internal-annotations.ts';
import { TemporarySnapshotReconciler } from './temporary/snapshot-reconciler.ts';
import { TemporaryVolumeReconciler } from './temporary/volume-reconciler.ts';
import { OrphanReconciler } from './orphans/reconciler.ts';
import { populatedFrom } from './claims/population/population.ts';
import type { InstallationSettings } from './runtime/settings.ts';
import { NO_PROVISIONER } from './storage-profile/known-provisioners.ts';
import { registerStorageProfileMetric } from './storage-profile/metric.ts';
import { StorageProfileReconciler } from './storage-profile/reconciler.ts';

/** For the work that comes by the dozen and consists of waiting for the API server. */
const MANY_WORKERS = 16;

/** Adds every controller to the manager: which there are, and what wakes each of them. */
export function addControllers(manager: Manager, installation: InstallationSettings & { version: string }): void {
  const context = createContext(manager, installation);
  const { caches } = context;

  manager.addReadyCheck('admission policies', () => context.policies.problem);

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
  registerDataVolumeMetrics(manager.metrics.registry, caches);
  manager.addController(new DataVolumeReconciler(context), {
    workers: MANY_WORKERS,
    // A claim is in the way of the DataVolume of its name also where it is not its own.
    watches: [
      watch(caches.dataVolumes),
      watch(caches.claims, (claim) => [
        ...ownKeyIf(claim, caches.dataVolumes.get(keyOf(claim)) !== undefined),
        ...unmadeClonesOf('claim', claim, caches),
      ]),
      watch(caches.dataSources, (dataSource) => unmadeClonesOf('dataSource', dataSource, caches)),
      watch(caches.snapshots, (snapshot) => unmadeClonesOf('snapshot', snapshot, caches)),
      watch(caches.policies, () => ungrantedClones(caches)),
      watch(caches.policyBindings, () => ungrantedClones(caches)),
    ],
  });
  manager.addController(new DataSourceReconciler(context), {
    watches: [
      watch(caches.dataSources, (dataSource) => [keyOf(dataSource), ...standInsFor('dataSource', dataSource, caches)]),
      watch(caches.dataVolumes, (dataVolume) => standInsFor('claim', dataVolume, caches)),
      watch(caches.claims, (claim) => standInsFor('claim', claim, caches)),
      watch(caches.snapshots, (snapshot) => standInsFor('snapshot', snapshot, caches)),
    ],
  });
  manager.addController(new ImportPopulatorReconciler(context), {
    watches: [
      watch(caches.claims, (claim) => [
        ...ownKeyIf(claim, populatedFrom(claim, 'VolumeImportSource') !== undefined),
        ...ownersOf(claim, 'PersistentVolumeClaim'),
      ]),
      watch(caches.volumes, promisedTo),
      watch(caches.importSources, (source) => claimsNaming(source, caches)),
    ],
  });
  manager.addController(new ClonePopulatorReconciler(context), {
    workers: MANY_WORKERS,
    watches: [
      watch(caches.claims, (claim) => [
        ...ownKeyIf(claim, populatedFrom(claim, 'VolumeCloneSource') !== undefined),
        ...workedFor(claim),
        ...clonesWaitingFor(caches, 'PersistentVolumeClaim', keyOf(claim)),
      ]),
      watch(caches.dataVolumes, (source) => clonesWaitingFor(caches, 'PersistentVolumeClaim', keyOf(source))),
      watch(caches.snapshots, (snapshot) => [
        ...workedFor(snapshot),
        ...clonesWaitingFor(caches, 'VolumeSnapshot', keyOf(snapshot)),
      ]),
      watch(caches.pods, (pod) => [...workedFor(pod), ...clonesWaitingForPod(caches, pod)]),
      watch(caches.volumes, (volume) => [...promisedTo(volume), ...clonesWaitingForVolume(caches, volume)]),
      watch(caches.cloneSources, (source) => claimsNaming(source, caches)),
      watch(caches.cloneGrants, (grant) => [dataVolumeKeyOf(grant)]),
    ],
  });
  manager.addController(new ImportReconciler(context), {
    watches: [watch(caches.claims, (claim) => ownKeyIf(claim, isImportClaim(claim))), watch(caches.pods, workedFor)],
  });
  manager.addController(new HostCloneReconciler(context), {
    watches: [
      watch(caches.claims, (claim) => ownKeyIf(claim, cloneRequestOf(claim) !== undefined)),
      watch(caches.cloneGrants, (grant) => [dataVolumeKeyOf(grant)]),
      watch(caches.pods, workedFor),
    ],
  });
  manager.addController(new CloneGrantReconciler(context), {
    watches: [watch(caches.cloneGrants), watch(caches.dataVolumes, ({ metadata }) => grantOf(metadata.uid, caches))],
  });
  const temporaryVolumes = new TemporaryVolumeReconciler(context);
  manager.addController(temporaryVolumes, {
    watches: [
      watch(caches.claims, (claim) => temporaryVolumes.volumeOf(claim)),
      watch(caches.volumes, (volume) => temporaryVolumes.candidate(volume)),
    ],
  });
  manager.addController(new TemporarySnapshotReconciler(context), {
    watches: [watch(caches.snapshots, (snapshot) => (workedFor(snapshot).length > 0 ? [keyOf(snapshot)] : []))],
  });
  manager.addController(new OrphanReconciler(context), {
    watches: [
      watch(caches.claims, (claim) => [...workedFor(claim), ...keyIfHelped(claim, caches)]),
      watch(caches.snapshots, workedFor),
      watch(caches.pods, workedFor),
      watch(caches.volumes, promisedTo),
    ],
  });
}

/** Most claims are no business of most controllers: what they would not act on does not wake them. */
function ownKeyIf(claim: PersistentVolumeClaim, concerned: boolean): Key[] {
  return concerned ? [keyOf(claim)] : [];
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

/** The DataSources that stand for an object. */
function standInsFor(kind: Parameters<typeof dependency>[0], object: KubeObject, { dataSources }: Caches): Key[] {
  return dataSources.byIndex(BY_DEPENDENCY, dependency(kind, keyOf(object))).map(keyOf);
}

/** The DataVolumes that may have waited for what they are cloned from. */
function unmadeClonesOf(
  kind: Parameters<typeof dependency>[0],
  source: KubeObject,
  { dataVolumes, claims }: Caches,
): Key[] {
  return dataVolumes
    .byIndex(BY_DEPENDENCY, dependency(kind, keyOf(source)))
    .map(keyOf)
    .filter((key) => claims.get(key) === undefined);
}

/** The DataVolumes that may have waited for an admission policy. */
function ungrantedClones({ dataVolumes, cloneGrants }: Caches): Key[] {
  return dataVolumes
    .list()
    .filter(({ metadata, status }) => {
      const isGranted = cloneGrants.get({ namespace: '', name: metadata.uid ?? '' }) !== undefined;
      return !isGranted && status?.conditions?.some(({ reason }) => reason === 'PolicyMissing');
    })
    .map(keyOf);
}

function grantOf(dataVolumeUid: string | undefined, { cloneGrants }: Caches): Key[] {
  const grant = cloneGrants.get({ namespace: '', name: dataVolumeUid ?? '' });
  return grant ? [keyOf(grant)] : [];
}

/** A claim that something was made for; its deletion makes an orphan of that. */
function keyIfHelped(claim: PersistentVolumeClaim, { claims, snapshots, pods, volumes }: Caches): Key[] {
  const index = keyToString(keyOf(claim));
  return ownKeyIf(
    claim,
    [claims, snapshots, pods, volumes].some((cache) => cache.byIndex(BY_TARGET_KEY, index).length > 0),
  );
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

function claimsNaming(source: KubeObject, caches: Caches): Key[] {
  return caches.claims.byIndex(BY_DATA_SOURCE, keyToString(keyOf(source))).map(keyOf);
}
