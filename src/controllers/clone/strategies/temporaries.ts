import { persistentVolumeClaims } from '../../../kube/builtin-resources.ts';
import type { Key } from '../../../kube/key.ts';
import { volumeSnapshots } from '../../../kube/snapshot-resources.ts';
import { temporaryClaimName, temporarySnapshotName, temporarySourceClaimName } from '../../../protocol/object-names.ts';
import type { CleanedUpResource } from '../../claims/population/delete-temporary.ts';

interface Temporary {
  readonly resource: CleanedUpResource;
  /** By the uid of the target claim. */
  readonly name: (targetUid: string) => string;
}

/** What the phases of clones make in the source's namespace, and the clean-up of a target claim removes. */
export const temporaries = {
  /** The claim that the data is brought into. */
  workingClaim: { resource: persistentVolumeClaims, name: temporaryClaimName },
  temporarySnapshot: { resource: volumeSnapshots, name: temporarySnapshotName },
  /** The claim that stands in for a snapshot that has to be copied. */
  temporarySourceClaim: { resource: persistentVolumeClaims, name: temporarySourceClaimName },
} as const satisfies Record<string, Temporary>;

export type TemporaryName = keyof typeof temporaries;

/** Where they are, for one target claim. */
export function temporaryKeys(namespace: string, targetUid: string): Record<TemporaryName, Key> {
  const names = Object.keys(temporaries) as TemporaryName[];
  return Object.fromEntries(
    names.map((name) => [name, { namespace, name: temporaries[name].name(targetUid) }]),
  ) as Record<TemporaryName, Key>;
}
