import type { TransferTarget } from '../protocol/transfer-pod.ts';
import { FileCheckpointStore } from '../transfer/checkpoint/file-store.ts';
import type { CheckpointStore } from '../transfer/checkpoint/store.ts';

/**
 * The checkpoint that a pod reports with its progress, for the controller to store, because a device has no room beside
 * its data.
 */
export class ReportedCheckpoint implements CheckpointStore {
  /** Text that only another pod of the same role interprets; undefined where there is none. */
  text: string | undefined;

  async load(): Promise<string | undefined> {
    return this.text;
  }

  async save(text: string): Promise<void> {
    this.text = text;
  }

  async remove(): Promise<void> {
    this.text = undefined;
  }
}

/**
 * Returns the store for the checkpoint from which a later pod resumes: on the volume, or `reported` with the progress.
 *
 * @param request.checkpoint what an earlier pod has reported
 */
export function checkpointStoreOf(
  { target, checkpoint }: { target: TransferTarget; checkpoint?: string | undefined },
  { diskImage }: { diskImage: string },
  reported: ReportedCheckpoint,
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
