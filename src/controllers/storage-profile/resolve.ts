import { storageClassAnnotation, storageProfileAnnotation } from '../../api/annotations.ts';
import { type CloneType, cloneTypes } from '../../api/clone.ts';
import type { StorageProfile, StorageProfileStatus } from '../../api/storage-profile.ts';
import type { PersistentVolume, StorageClass } from '../../kube/builtin-resources.ts';
import type { VolumeSnapshotClass } from '../../kube/snapshot-resources.ts';
import { chooseSnapshotClass } from '../claims/snapshot-class.ts';
import { claimPropertySetsOf } from './capabilities.ts';
import { recognise } from './recognise.ts';

/** What a StorageProfile depends on. */
export interface ProfileWorld {
  readonly storageClass: StorageClass;
  readonly profile: StorageProfile;
  /** PersistentVolumes of the class. */
  readonly volumes: readonly PersistentVolume[];
  readonly snapshotClasses: readonly VolumeSnapshotClass[];
}

/** The desired content of a StorageProfile. */
export interface ResolvedProfile {
  /** Status without the times of its condition. */
  readonly status: StorageProfileStatus;
  /** Annotations with what is known about the provisioner, except those that are already set. */
  readonly annotations: Readonly<Record<string, string>>;
}

/** Resolves a StorageProfile from its spec, and for everything else, from what is known about the provisioner. Pure. */
export function resolveProfile({ storageClass, profile, volumes, snapshotClasses }: ProfileWorld): ResolvedProfile {
  const { spec } = profile;
  const { provisioner } = storageClass;
  const { reason, message, capabilities } = recognise(storageClass, volumes);
  const known = claimPropertySetsOf(capabilities.claims);
  const claimPropertySets = spec.claimPropertySets?.length ? spec.claimPropertySets : known;
  const snapshotClass = chooseSnapshotClass(snapshotClasses, provisioner, spec.snapshotClass);
  return {
    status: {
      storageClass: storageClass.metadata?.name ?? '',
      provisioner,
      cloneStrategy: spec.cloneStrategy ?? annotatedStrategy(storageClass) ?? capabilities.cloneStrategy ?? 'snapshot',
      ...(claimPropertySets.length > 0 ? { claimPropertySets } : {}),
      dataImportCronSourceFormat:
        spec.dataImportCronSourceFormat ??
        (snapshotClass === undefined ? 'pvc' : (capabilities.dataImportCronSourceFormat ?? 'pvc')),
      ...(snapshotClass === undefined ? {} : { snapshotClass }),
      conditions: [
        { type: 'Recognized', status: reason === 'RecognizedProvisioner' ? 'True' : 'False', reason, message },
      ],
    },
    annotations: missingAnnotations(profile, {
      [storageProfileAnnotation.minimumSupportedPvcSize]: capabilities.minimumSupportedPvcSize,
      [storageProfileAnnotation.useReadWriteOnceForDataImportCron]: capabilities.useReadWriteOnceForDataImportCron
        ? 'true'
        : undefined,
      [storageProfileAnnotation.snapshotClassForDataImportCron]: snapshotClassWith(
        snapshotClasses,
        provisioner,
        capabilities.dataImportCronSnapshotClassParameters,
      ),
    }),
  };
}

/** Returns the clone strategy of the class's annotation; undefined where its value is not a strategy. */
function annotatedStrategy({ metadata }: StorageClass): CloneType | undefined {
  const annotated = metadata?.annotations?.[storageClassAnnotation.cloneStrategy];
  return cloneTypes.find((type) => type === annotated);
}

function missingAnnotations(
  profile: StorageProfile,
  known: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const present = profile.metadata.annotations ?? {};
  return Object.fromEntries(
    Object.entries(known).flatMap(([name, value]) =>
      value === undefined || present[name] !== undefined ? [] : [[name, value] as const],
    ),
  );
}

/** Returns the name of the driver's first snapshot class with these parameters. */
function snapshotClassWith(
  classes: readonly VolumeSnapshotClass[],
  driver: string,
  parameters: Readonly<Record<string, string>> | undefined,
): string | undefined {
  if (!parameters) return undefined;
  return classes
    .filter(
      (candidate) =>
        candidate.driver === driver &&
        Object.entries(parameters).every(([name, value]) => candidate.parameters?.[name] === value),
    )
    .map(({ metadata }) => metadata?.name ?? '')
    .sort()[0];
}
