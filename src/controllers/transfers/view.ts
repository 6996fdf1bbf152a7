import { populationAnnotation } from '../../api/annotations.ts';
import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import { isBound } from '../claims/bound.ts';
import { populatedFrom } from '../claims/population/populated-from.ts';
import { workForAnnotation } from '../objects/internal-annotations.ts';
import { readReport, type TransferReport } from './transfer-report.ts';

/** A summary of the import or upload into a claim, to be shown to people. */
export interface TransferView {
  readonly kind: 'import' | 'upload';
  readonly isComplete: boolean;
  readonly report: TransferReport | undefined;
  /** The object or the endpoint that the data comes from, as the claim names it; undefined for what users send. */
  readonly source: string | undefined;
}

export type { TransferReport };

/** Returns what the controllers have reported on a claim of the transfer into it, of any kind; undefined before. */
export function reportOf(claim: PersistentVolumeClaim): TransferReport | undefined {
  return readReport(claim.metadata?.annotations);
}

/** Returns how a claim is imported or uploaded; undefined where it is not, and for working claims. Pure. */
export function transferViewOf(claim: PersistentVolumeClaim): TransferView | undefined {
  const annotations = claim.metadata?.annotations ?? {};
  if (annotations[workForAnnotation] !== undefined) return undefined;
  const importSource = populatedFrom(claim, 'VolumeImportSource');
  const uploadSource = populatedFrom(claim, 'VolumeUploadSource');
  const endpoint = annotations[populationAnnotation.importEndpoint] ?? annotations[populationAnnotation.importSource];
  const isDirectUpload = annotations[populationAnnotation.uploadTarget] !== undefined;
  const isPopulated = importSource !== undefined || uploadSource !== undefined;
  if (!isPopulated && endpoint === undefined && !isDirectUpload) return undefined;
  const report = reportOf(claim);
  return {
    kind: uploadSource !== undefined || (isDirectUpload && importSource === undefined) ? 'upload' : 'import',
    isComplete: isPopulated ? isBound(claim) : report?.podPhase === 'Succeeded',
    report,
    source: importSource ?? endpoint,
  };
}
