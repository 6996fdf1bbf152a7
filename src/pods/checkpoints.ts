import type { TransferTarget } from '../protocol/transfer-pod.ts';
import { FileCheckpointStore } from '../transfer/checkpoint/file-store.ts';
import type { CheckpointStore } from '../transfer/checkpoint/store.ts';
import type { ReportedRecord } from './reported-record.ts';

/**
 * Returns the store for the checkpoint from which a later pod resumes: on the volume, or `reported` with the progress,
 * because a device has no room beside its data.
 *
 * @param request.checkpoint what an earlier pod has reported
 */
export function checkpointStoreOf(
  { target, checkpoint }: { target: TransferTarget; checkpoint?: string | undefined },
  { diskImage }: { diskImage: string },
  reported: ReportedRecord,
): CheckpointStore {
  if (target.volumeMode === 'Filesystem') return new FileCheckpointStore(`${diskImage}.diskpress-checkpoint`);
  reported.text = checkpoint;
  return reported;
}

/**
 * Returns the store for what a volume holds between the stages of an import; undefined for a Block volume, of which
 * only the controllers remember it.
 */
export function stageStoreOf(
  { volumeMode }: TransferTarget,
  { diskImage }: { diskImage: string },
): CheckpointStore | undefined {
  return volumeMode === 'Filesystem' ? new FileCheckpointStore(`${diskImage}.diskpress-stage`) : undefined;
}
