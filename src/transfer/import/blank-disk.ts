import type { Progress } from '../../base/progress.ts';
import type { Sink } from '../../sink/sink.ts';
import { abandon } from './abandon.ts';
import type { ImportedImage } from './finish.ts';

/** Writes an empty disk that fills the target. */
export async function writeBlankDisk(sink: Sink, progress: Progress): Promise<ImportedImage> {
  try {
    progress.enter('zeroing', { target: sink.path });
    await sink.begin(undefined);
    progress.enter('syncing');
    const { size, preallocated } = await sink.finish(0);
    progress.enter('done');
    return { format: 'raw', virtualSize: size, diskSize: size, preallocated };
  } catch (error) {
    await abandon(sink, progress);
    throw error;
  }
}
