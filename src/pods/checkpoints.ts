import type { Progress } from '../base/progress.ts';
import type { ImportRequest } from '../protocol/transfer-pod.ts';
import { FileCheckpointStore } from '../transfer/checkpoint/file-store.ts';
import type { CheckpointStore } from '../transfer/checkpoint/store.ts';

/** Creates the store for the checkpoint from which a later importer pod resumes: on the volume, or with the claim. */
export function createCheckpointStore(
  { target, checkpoint }: Pick<ImportRequest, 'target' | 'checkpoint'>,
  { diskImage }: { diskImage: string },
  progress: Progress,
): CheckpointStore {
  if (target.volumeMode === 'Filesystem') return new FileCheckpointStore(`${diskImage}.diskpress-checkpoint`);
  return new ReportedCheckpointStore(progress, checkpoint);
}

/**
 * Reports the checkpoint with the progress, for the controller to store, because a device has no room beside its data.
 */
class ReportedCheckpointStore implements CheckpointStore {
  readonly #progress: Progress;

  /** @param earlier what an earlier pod has reported */
  constructor(progress: Progress, earlier: string | undefined) {
    this.#progress = progress;
    this.#progress.checkpoint = earlier;
  }

  async load(): Promise<string | undefined> {
    return this.#progress.checkpoint;
  }

  async save(text: string): Promise<void> {
    this.#progress.checkpoint = text;
  }

  async remove(): Promise<void> {
    this.#progress.checkpoint = undefined;
  }
}
