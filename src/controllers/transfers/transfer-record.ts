import { stateAnnotation } from '../../api/annotations.ts';
import { type PersistentVolumeClaim, persistentVolumeClaims } from '../../kube/builtin-resources.ts';
import type { KubeClient } from '../../kube/client.ts';
import { keyOf } from '../../kube/key.ts';
import {
  openTransferAnnotation,
  transferCheckpointAnnotation,
  transferRateAnnotation,
} from '../objects/internal-annotations.ts';
import { reportAnnotations, type TransferReport } from './transfer-report.ts';
import type { AnnotationChanges } from './transfer-stages.ts';

/** Annotations about one stage, which mean nothing to the next. */
const OF_ONE_STAGE = [
  transferRateAnnotation,
  transferCheckpointAnnotation,
  openTransferAnnotation,
  stateAnnotation.fatalError,
];

/**
 * Writes what a claim says of its stages, together with a report, in one request: a controller that is stopped has
 * recorded both, or neither. It is a patch, because whoever created the claim has written some of these annotations.
 */
export async function recordStage(
  client: KubeClient,
  claim: PersistentVolumeClaim,
  fieldManager: string,
  { report, changes }: { readonly report: TransferReport; readonly changes: AnnotationChanges },
): Promise<void> {
  const annotations = {
    ...Object.fromEntries(OF_ONE_STAGE.map((name) => [name, null])),
    ...reportAnnotations(report),
    ...changes,
  };
  const { uid } = claim.metadata ?? {};
  await client.mergePatch(persistentVolumeClaims, keyOf(claim), { metadata: { uid, annotations } }, { fieldManager });
}
