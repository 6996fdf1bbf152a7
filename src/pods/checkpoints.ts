import type { ImportRequest } from '../protocol/transfer-pod.ts';
import { FileCheckpointStore } from '../transfer/checkpoint/file-store.ts';
import type { CheckpointStore } from '../transfer/checkpoint/store.ts';
import type { Progress } from '../base/progress.ts';

/** Where an importer pod keeps the checkpoint that a pod after it goes on from: on the volume, or with the claim. */
export function createCheckpointStore(
  { target, checkpoint }: ImportRequest,
  { diskImage }: { diskImage: string },
  progress: Progress,
): CheckpointStore {
  if (target.volumeMode === 'Filesystem') return new FileCheckpointStore(`${diskImage}.diskpress-checkpoint`);
  return new ReportedCheckpointStore(progress, checkpoint);
}

/** A device has no room beside its data: the checkpoint is told with the progress, and the controller keeps it. */
class ReportedCheckpointStore implements CheckpointStore {
  readonly #progress: Progress;

  /** @param earlier what a pod before this one has told */
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
