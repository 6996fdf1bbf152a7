import { populationAnnotation, stateAnnotation } from '../api/annotations.ts';
import { CDI_GROUP } from '../api/group.ts';
import type { TypedLocalObjectReference } from '../api/references.ts';
import { volumeUploadSources } from '../api/volume-upload-source.ts';

/** The part of a PersistentVolumeClaim that says what an upload into it has come to. */
interface Claim {
  readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec?: {
    readonly dataSource?: Partial<TypedLocalObjectReference>;
    readonly dataSourceRef?: Partial<TypedLocalObjectReference>;
  };
  readonly status?: { readonly phase?: string };
}

/** Whether the upload goes to the working claim of a populator, rather than to the claim itself. */
export function isPopulatedByUpload({ spec }: Claim): boolean {
  const { apiGroup, kind } = spec?.dataSourceRef ?? spec?.dataSource ?? {};
  return apiGroup === CDI_GROUP && kind === volumeUploadSources.kind;
}

/** Whether a claim was made to be uploaded into. */
export function isUploadTarget(claim: Claim): boolean {
  return isPopulatedByUpload(claim) || claim.metadata?.annotations?.[populationAnnotation.uploadTarget] !== undefined;
}

/** Whether a claim that was made to be uploaded into has its data. */
export function isUploaded(claim: Claim): boolean {
  const phase = claim.metadata?.annotations?.[stateAnnotation.podPhase];
  return phase === 'Succeeded' || (isPopulatedByUpload(claim) && claim.status?.phase === 'Bound');
}
