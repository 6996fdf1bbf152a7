import { asTransferError } from '../../base/errors.ts';
import type { Progress } from '../../base/progress.ts';
import type { Sink } from '../../sink/sink.ts';

/** Clears the target. A failure to do so is only reported, because the failure of the import matters more. */
export async function abandon(sink: Sink, progress: Progress): Promise<void> {
  try {
    await sink.abandon();
  } catch (error) {
    progress.note('target not cleared', { target: sink.path, cause: asTransferError(error).message });
  }
}
