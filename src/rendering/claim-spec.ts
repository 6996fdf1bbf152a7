import { storageProfileAnnotation } from '../api/annotations.ts';
import type { DataVolumeSpec } from '../api/data-volume.ts';
import { type PersistentVolumeClaimSpec, type StorageSpec, toClaimSpec } from '../api/persistent-volume-claim-spec.ts';
import { isQuantity, parseQuantity, type Quantity } from '../api/quantity.ts';
import type { ClaimPropertySet, StorageProfile } from '../api/storage-profile.ts';
import { deviceForVolume, volumeForDisk } from '../base/filesystem-sizes.ts';
import { formatQuantity } from '../base/units.ts';
import type { PersistentVolumeClaim } from '../kube/builtin-resources.ts';
import { TerminalError, WaitingError } from '../kube/errors.ts';

type ClaimSpec = NonNullable<PersistentVolumeClaim['spec']>;

type ContentType = NonNullable<DataVolumeSpec['contentType']>;

const LOOK_AGAIN_MILLISECONDS = 5_000;

/** The volume that is cloned. */
export interface SourceVolume {
  readonly volumeMode: 'Filesystem' | 'Block';
  /** Capacity in bytes. */
  readonly capacity: number;
  /**
   * The share, 0 ≤ overhead < 1, by which a Filesystem volume of its class is larger than the disk on it, as a fraction
   * of the disk.
   */
  readonly filesystemOverhead: number;
}

/** The defaults that complete a claim's spec. */
export interface ClaimDefaults {
  /** The resolved StorageClass; undefined where the DataVolume names none and the cluster has no default. */
  readonly storageClassName: string | undefined;
  readonly profile: StorageProfile | undefined;
  /** Share of the disk, 0 ≤ overhead < 1. */
  readonly filesystemOverhead: number;
  /**
   * The cloned volume; undefined where the DataVolume is not a clone, or its source is neither known yet nor needed.
   */
  readonly source: SourceVolume | undefined;
}

/** What the spec belongs to, as the messages call it. */
interface Subject {
  readonly kind: 'DataVolume' | 'claim';
  /** Where its fields are. */
  readonly path: 'spec.storage' | 'spec';
}

/**
 * Returns the spec of a DataVolume's claim: `pvc` as it is written, or `storage` after defaults are filled in and, for
 * a Filesystem volume, after the size is increased so that a disk of the requested size fits beside the filesystem's
 * own overhead.
 *
 * @throws WaitingError ErrClaimNotValid where a value is missing that the StorageProfile may still get
 */
export function claimSpecOf(spec: DataVolumeSpec, defaults: ClaimDefaults): ClaimSpec {
  if (spec.pvc) return withClass(toClaimSpec(spec.pvc), defaults.storageClassName);
  if (spec.storage) {
    const subject = { kind: 'DataVolume', path: 'spec.storage' } as const;
    return completed(spec.storage, spec.contentType ?? 'kubevirt', defaults, subject);
  }
  throw new TerminalError('ErrClaimNotValid', 'The DataVolume has neither spec.pvc nor spec.storage; give one of them');
}

/**
 * Returns the spec of a claim that somebody made himself, completed as the `storage` of a DataVolume is.
 *
 * @throws as {@link claimSpecOf}
 */
export function renderedClaimSpec(spec: StorageSpec, contentType: ContentType, defaults: ClaimDefaults): ClaimSpec {
  return completed(spec, contentType, defaults, { kind: 'claim', path: 'spec' });
}

function completed(
  storage: StorageSpec,
  contentType: ContentType,
  defaults: ClaimDefaults,
  subject: Subject,
): ClaimSpec {
  const { volumeMode: askedMode, accessModes: askedModes, resources, ...rest } = storage;
  const set = propertySetFor(storage, contentType, defaults);
  const volumeMode = (askedMode === 'FromStorageProfile' ? undefined : askedMode) ?? set?.volumeMode ?? 'Filesystem';
  const accessModes = askedModes?.length ? askedModes : set?.accessModes;
  if (!accessModes?.length) throw withoutAccessModes(askedMode, defaults, subject);
  const size = Math.max(
    sizeOf(resources?.requests?.['storage'], volumeMode, contentType, defaults, subject),
    minimumSize(defaults.profile),
  );
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

/** Returns the size in bytes of the smallest volume that the storage provisions. */
function minimumSize(profile: StorageProfile | undefined): number {
  const name = storageProfileAnnotation.minimumSupportedPvcSize;
  const written = profile?.metadata.annotations?.[name] ?? '0';
  if (isQuantity(written)) return parseQuantity(written);
  throw new WaitingError(
    'ErrClaimNotValid',
    `The annotation ${name} of StorageProfile "${profile?.metadata.name}" is "${written}", which is no size; write one like 4Gi`,
    { after: LOOK_AGAIN_MILLISECONDS },
  );
}

/**
 * Returns the first of the StorageProfile's property sets that satisfies everything the DataVolume asks for. A clone
 * that leaves its volume mode open prefers the mode of its source, because the storage can clone that by itself. An
 * archive needs a filesystem.
 */
function propertySetFor(
  { volumeMode: asked, accessModes: askedModes }: StorageSpec,
  contentType: ContentType,
  { profile, source }: ClaimDefaults,
): ClaimPropertySet | undefined {
  const sets = (profile?.status?.claimPropertySets ?? []).filter(
    (set) => !askedModes?.length || askedModes.every((mode) => set.accessModes?.includes(mode)),
  );
  const inMode = (mode: 'Filesystem' | 'Block') => sets.find((set) => (set.volumeMode ?? 'Filesystem') === mode);
  if (asked === 'Block' || asked === 'Filesystem') return inMode(asked);
  if (contentType === 'archive') return inMode('Filesystem');
  return (asked === undefined && source && inMode(source.volumeMode)) || sets[0];
}

function withoutAccessModes(
  asked: StorageSpec['volumeMode'],
  { storageClassName, profile }: ClaimDefaults,
  { kind, path }: Subject,
): Error {
  const known = (profile?.status?.claimPropertySets ?? []).length > 0;
  const which = known && (asked === 'Block' || asked === 'Filesystem') ? ` for ${asked} volumes` : '';
  return new WaitingError(
    'ErrClaimNotValid',
    `${path} has no accessModes, and the StorageProfile of class "${storageClassName ?? ''}" has none${which} either; ` +
      `write spec.claimPropertySets into StorageProfile "${storageClassName ?? ''}", or make the ${kind} anew with accessModes`,
    { after: LOOK_AGAIN_MILLISECONDS },
  );
}

/**
 * Returns the bytes that the claim has to request: for the size that was asked for, or else for the size of the source.
 */
function sizeOf(
  requested: Quantity | undefined,
  volumeMode: 'Filesystem' | 'Block',
  contentType: ContentType,
  { filesystemOverhead, source }: ClaimDefaults,
  { path }: Subject,
): number {
  const leavesRoom = volumeMode === 'Filesystem' && contentType === 'kubevirt';
  if (requested !== undefined) {
    const bytes = parseQuantity(requested);
    return leavesRoom ? volumeForDisk(bytes, filesystemOverhead) : bytes;
  }
  if (!source) {
    throw new TerminalError(
      'ErrClaimNotValid',
      `${path}.resources.requests.storage is missing; say how large the disk is`,
    );
  }
  if (source.volumeMode === volumeMode || contentType === 'archive') return source.capacity;
  return leavesRoom
    ? volumeForDisk(source.capacity, filesystemOverhead)
    : deviceForVolume(source.capacity, source.filesystemOverhead);
}

function withClass(spec: ClaimSpec, storageClassName: string | undefined): ClaimSpec {
  return storageClassName === undefined ? spec : { ...spec, storageClassName };
}
