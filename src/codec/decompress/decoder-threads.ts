import { Worker } from 'node:worker_threads';
import { unmapExecutable } from '../../base/native/executable-pages.ts';
import { memoryLimit } from '../../base/native/memory-limit.ts';
import { processors } from '../../base/native/processors.ts';
import { type DecoderThreadData, windowMemory } from '../native/window-memory.ts';

const MOST_THREADS = 4;
/** Memory for each thread in bytes; a thread needs a third of it. */
const MEMORY_PER_THREAD = 64 * 1024 * 1024;
/** Heap limits in MiB. All large buffers are outside the heap. */
const HEAP = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 64 };

const script = new URL(`./decoder-thread.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url);
const threads = new Map<number, Worker>();

/** Number of decoder threads; more than there are processors would not help. */
export const threadCount = atLeastOne(processors());

/**
 * Number of threads for blocks. The thread that reads and writes keeps a processor busy, too, as blocks of one image
 * take no longer to decompress than to read and write.
 */
export const blockThreadCount = atLeastOne(processors() - 1);

function atLeastOne(count: number): number {
  return Math.max(1, Math.min(MOST_THREADS, count, Math.floor(memoryLimit() / MEMORY_PER_THREAD)));
}

/**
 * Returns a decoder thread, which is started when it is first needed. It does not keep the process alive.
 *
 * @param index any number; threads are reused in turn
 */
export function decoderThread(index: number): Worker {
  const place = index % threadCount;
  const running = threads.get(place);
  if (running !== undefined) return running;
  // To start a thread maps much of the executable again.
  unmapExecutable();
  const workerData: DecoderThreadData = { windowMemory: windowMemory.shared };
  const started = new Worker(script, { resourceLimits: HEAP, workerData });
  // Its users notice that their ports are closed.
  started.on('error', () => {});
  started.on('exit', () => threads.delete(place));
  started.unref();
  threads.set(place, started);
  return started;
}
