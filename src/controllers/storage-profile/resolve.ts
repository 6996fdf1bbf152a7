import { storageClassAnnotation, storageProfileAnnotation } from '../../api/annotations.ts';
import { cloneTypes, type CloneType } from '../../api/clone.ts';
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
  /** The PersistentVolumes of the class. */
  readonly volumes: readonly PersistentVolume[];
  readonly snapshotClasses: readonly VolumeSnapshotClass[];
}

/** What a StorageProfile should say. */
export interface ResolvedProfile {
  /** Without the condition's times. */
  readonly status: StorageProfileStatus;
  /** What is known of the provisioner and told as annotations; those that somebody has set already are left out. */
  readonly annotations: Readonly<Record<string, string>>;
}

/** Resolves a StorageProfile: what its spec says, and for the rest, what is known of the provisioner. Pure. */
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

/** What the class says itself; a value that is no strategy says nothing. */
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

/** Name of the driver's first snapshot class with these parameters. */
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
