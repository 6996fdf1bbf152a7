import { Worker } from 'node:worker_threads';
import { memoryLimit } from '../../base/native/memory-limit.ts';
import { processors } from '../../base/native/processors.ts';
import { windowMemory, type DecoderThreadData } from '../native/window-memory.ts';

const MOST_THREADS = 4;
/** A thread takes a third of that, in bytes. */
const MEMORY_PER_THREAD = 64 * 1024 * 1024;
/** In MiB. All that is large is outside of the heap. */
const HEAP = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 64 };

const script = new URL(`./decoder-thread.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url);
const threads = new Map<number, Worker>();

/** How many threads decompress at once: more than there are processors would not help. */
export const threadCount = Math.max(
  1,
  Math.min(MOST_THREADS, processors(), Math.floor(memoryLimit() / MEMORY_PER_THREAD)),
);

/**
 * One of the threads that decompress, made when it is first needed. It does not keep the process alive.
 *
 * @param index of any size
 */
export function decoderThread(index: number): Worker {
  const place = index % threadCount;
  const running = threads.get(place);
  if (running !== undefined) return running;
  const workerData: DecoderThreadData = { windowMemory: windowMemory.shared };
  const started = new Worker(script, { resourceLimits: HEAP, workerData });
  // Whoever has given it work sees that its ports are closed.
  started.on('error', () => {});
  started.on('exit', () => threads.delete(place));
  started.unref();
  threads.set(place, started);
  return started;
}
