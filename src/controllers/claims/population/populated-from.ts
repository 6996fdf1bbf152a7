import { CDI_GROUP } from '../../../api/group.ts';
import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';

/** Returns the name of the source object that a claim is to be populated from, where it is of the given kind. */
export function populatedFrom(claim: PersistentVolumeClaim, kind: string): string | undefined {
  const reference = claim.spec?.dataSourceRef;
  return reference?.kind === kind && reference.apiGroup === CDI_GROUP ? reference.name : undefined;
}
