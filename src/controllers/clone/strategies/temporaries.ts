import { persistentVolumeClaims } from '../../../kube/builtin-resources.ts';
import type { ObjectKey } from '../../../kube/key.ts';
import { volumeSnapshots } from '../../../kube/snapshot-resources.ts';
import { temporaryClaimName, temporarySnapshotName, temporarySourceClaimName } from '../../../protocol/object-names.ts';
import type { CleanedUpResource } from '../../claims/population/delete-temporary.ts';

interface Temporary {
  readonly resource: CleanedUpResource;
  /** Returns the object's name, given the uid of the target claim. */
  readonly name: (targetUid: string) => string;
}

/**
 * The objects that the phases of clones create in the source's namespace, and that the clean-up of a target claim
 * removes.
 */
export const temporaries = {
  /** The claim that the data is written to. */
  workingClaim: { resource: persistentVolumeClaims, name: temporaryClaimName },
  temporarySnapshot: { resource: volumeSnapshots, name: temporarySnapshotName },
  /** The temporary source claim, into which a snapshot is restored in order to be copied. */
  temporarySourceClaim: { resource: persistentVolumeClaims, name: temporarySourceClaimName },
} as const satisfies Record<string, Temporary>;

export type TemporaryName = keyof typeof temporaries;

/** Returns the names of the temporary objects of one target claim. */
export function temporaryKeys(namespace: string, targetUid: string): Record<TemporaryName, ObjectKey> {
  const names = Object.keys(temporaries) as TemporaryName[];
  return Object.fromEntries(
    names.map((name) => [name, { namespace, name: temporaries[name].name(targetUid) }]),
  ) as Record<TemporaryName, ObjectKey>;
}
