import { asTransferError } from '../../base/errors.ts';
import type { Progress } from '../../base/progress.ts';
import type { Sink } from '../../sink/sink.ts';
import type { Resumption } from '../checkpoint/resumption.ts';
import type { ImportTarget } from './write-disk.ts';

/** Leaves the target of an import that has failed as it is, where another one can resume it; otherwise clears it. */
export async function suspendOrAbandon(
  error: unknown,
  { sink, progress }: Pick<ImportTarget, 'sink' | 'progress'>,
  resumption: Resumption,
): Promise<void> {
  if (await resumption.survives(error)) {
    await sink.suspend();
  } else {
    await abandon(sink, progress);
    await resumption.forget();
  }
}

/** Clears the target. A failure to do so is only reported, because the failure of the import matters more. */
export async function abandon(sink: Sink, progress: Progress): Promise<void> {
  try {
    await sink.abandon();
  } catch (error) {
    progress.note('target not cleared', { target: sink.path, cause: asTransferError(error).message });
  }
}
