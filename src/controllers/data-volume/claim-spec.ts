import { formatQuantity } from '../../api/bytes.ts';
import type { DataVolumeSpec } from '../../api/data-volume.ts';
import {
  toClaimSpec,
  type PersistentVolumeClaimSpec,
  type StorageSpec,
} from '../../api/persistent-volume-claim-spec.ts';
import { parseQuantity } from '../../api/quantity.ts';
import type { StorageProfile } from '../../api/storage-profile.ts';
import { TerminalError } from '../../kube/errors.ts';
import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';

type ClaimSpec = NonNullable<PersistentVolumeClaim['spec']>;

const MEBIBYTE = 2 ** 20;

/** What a claim's spec is completed from. */
export interface ClaimDefaults {
  /** Resolved StorageClass; undefined where the cluster has no default and the DataVolume names none. */
  readonly storageClassName: string | undefined;
  readonly profile: StorageProfile | undefined;
  /** 0 ≤ overhead < 1 */
  readonly filesystemOverhead: number;
  /** What the source of a clone requests, in bytes, where it is a clone. */
  readonly sourceRequest: number | undefined;
}

/**
 * The spec of a DataVolume's claim: `pvc` as it is written, or `storage` completed and, for a Filesystem volume,
 * enlarged so that a disk of the requested size fits beside the filesystem's own overhead.
 *
 * @throws TerminalError ErrClaimNotValid where something is missing and cannot be completed
 */
export function claimSpecOf(spec: DataVolumeSpec, defaults: ClaimDefaults): ClaimSpec {
  if (spec.pvc) return withClass(toClaimSpec(spec.pvc), defaults.storageClassName);
  if (spec.storage) return completed(spec.storage, spec.contentType ?? 'kubevirt', defaults);
  throw new TerminalError('ErrClaimNotValid', 'The DataVolume has neither spec.pvc nor spec.storage; give one of them');
}

function completed(storage: StorageSpec, contentType: string, defaults: ClaimDefaults): ClaimSpec {
  const { volumeMode: askedMode, accessModes: askedModes, resources, ...rest } = storage;
  const asked = askedMode === 'FromStorageProfile' ? undefined : askedMode;
  const sets = defaults.profile?.status?.claimPropertySets ?? [];
  const set = sets.find(
    (candidate) =>
      (asked === undefined || candidate.volumeMode === asked) &&
      (!askedModes?.length || askedModes.every((mode) => candidate.accessModes?.includes(mode))),
  );
  const volumeMode = asked ?? set?.volumeMode ?? 'Filesystem';
  const accessModes = askedModes?.length ? askedModes : set?.accessModes;
  if (!accessModes?.length) {
    throw new TerminalError(
      'ErrClaimNotValid',
      `spec.storage has no accessModes, and the StorageProfile of class "${defaults.storageClassName ?? ''}" has none either; ` +
        'add them to the DataVolume, or claimPropertySets to the StorageProfile',
    );
  }
  const requested = resources?.requests?.['storage'];
  if (requested === undefined && defaults.sourceRequest === undefined) {
    throw new TerminalError(
      'ErrClaimNotValid',
      'spec.storage.resources.requests.storage is missing; say how large the disk is',
    );
  }
  const size =
    requested === undefined
      ? (defaults.sourceRequest ?? 0)
      : volumeMode === 'Filesystem' && contentType === 'kubevirt'
        ? inflated(parseQuantity(requested), defaults.filesystemOverhead)
        : parseQuantity(requested);
  return withClass(
    toClaimSpec({
      ...(rest as PersistentVolumeClaimSpec),
      volumeMode,
      accessModes: [...accessModes],
      resources: { ...resources, requests: { ...resources?.requests, storage: formatQuantity(size) } },
    }),
    defaults.storageClassName,
  );
}

/** The volume, in whole MiB, on which a disk of so many bytes fits beside the overhead. */
function inflated(bytes: number, overhead: number): number {
  const aligned = Math.ceil(bytes / MEBIBYTE) * MEBIBYTE;
  return Math.ceil(aligned / (1 - overhead) / MEBIBYTE) * MEBIBYTE;
}

function withClass(spec: ClaimSpec, storageClassName: string | undefined): ClaimSpec {
  return storageClassName === undefined ? spec : { ...spec, storageClassName };
}
