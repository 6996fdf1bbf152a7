import { populationAnnotation as names } from '../../../api/annotations.ts';
import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import type { UploadRequest } from '../../../protocol/transfer-pod.ts';
import type { ConfigView } from '../../runtime/config-view.ts';
import { resumptionOf } from '../../transfers/resumption.ts';
import { transferTargetOf } from '../../transfers/transfer-target.ts';

/** Annotations that request another way to write a claim, which takes precedence. */
const OTHERS = [names.importSource, names.importEndpoint, names.cloneRequest];

/**
 * Returns whether the claim's annotations request an upload into it. A claim with a populator is not written itself,
 * and neither is one that is imported or cloned into.
 */
export function isUploadClaim({ metadata, spec }: PersistentVolumeClaim): boolean {
  const { annotations = {} } = metadata ?? {};
  const isWrittenOtherwise = Boolean(spec?.dataSourceRef) || OTHERS.some((name) => annotations[name] !== undefined);
  return annotations[names.uploadTarget] !== undefined && !isWrittenOtherwise;
}

/** Returns the complete request for an upload server pod. */
export function uploadRequestOf(claim: PersistentVolumeClaim, config: ConfigView): UploadRequest {
  return { target: transferTargetOf(claim, config), ...resumptionOf(claim) };
}
