import { constants } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemCode, TransferError } from '../../base/errors.ts';
import { openRegularFile } from '../../base/planted-files.ts';
import type { Progress } from '../../base/progress.ts';
import type { RangeReader } from '../../base/source.ts';
import { CachingReader } from '../../image/conversion/caching-reader.ts';
import { convertTo, type QemuInput, readVirtualSize } from '../../image/conversion/qemu-img.ts';
import { RangeRelay } from '../../image/conversion/range-relay.ts';
import { type DiskFormat, driverOf } from '../../image/formats/drivers.ts';
import type { ReadHead } from '../../image/formats/mapped/image.ts';
import type { ExternallyWritten } from '../../sink/externally-written.ts';
import type { Sink } from '../../sink/sink.ts';
import { asTargetError } from '../../sink/target-errors.ts';

const SYNC_INTERVAL_MILLISECONDS = 500;

export interface ConversionOptions {
  format: DiskFormat;
  sink: Sink & ExternallyWritten;
  progress: Progress;
  signal?: AbortSignal | undefined;
}

/**
 * Converts an image with qemu-img, which reads it in ranges and writes straight to the target.
 *
 * @returns the virtual size in bytes
 */
export async function convertRanges(reader: RangeReader, options: ConversionOptions): Promise<number> {
  const head = await checkedHead(options.format, (length) => reader.read(0, Math.min(length, reader.size)));
  const directory = await mkdtemp(join(tmpdir(), 'diskpress-'));
  try {
    const relaySocket = join(directory, 'relay');
    await using relay = new RangeRelay(new CachingReader(reader, head));
    await relay.listen(relaySocket);
    try {
      return await convert({ relaySocket }, options);
    } catch (error) {
      throw relay.failure ?? error;
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Converts an image in a file, see {@link convertRanges}. */
export async function convertFile(path: string, options: ConversionOptions): Promise<number> {
  const file = await openRegularFile(path);
  if (file === undefined) throw new TransferError('SourceNotReadable', `${path} is no longer there`);
  try {
    await checkedHead(options.format, async (length) => {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, 0);
      return buffer.subarray(0, bytesRead);
    });
    return await convert({ descriptor: file.fd }, options);
  } finally {
    await file.close();
  }
}

/**
 * Returns the start of an image after verifying that it does not make qemu-img open other files; empty where its format
 * cannot do that.
 */
async function checkedHead(format: DiskFormat, readHead: ReadHead): Promise<Buffer> {
  const { selfContained } = driverOf(format);
  if (selfContained === undefined) return Buffer.alloc(0);
  const head = await readHead(selfContained.length);
  selfContained.check(head);
  return head;
}

async function convert(input: QemuInput, { format, sink, progress, signal }: ConversionOptions): Promise<number> {
  const virtualSize = await readVirtualSize(format, input, signal);
  await sink.begin(virtualSize);
  progress.enter('converting', { format, target: sink.path, with: 'qemu-img' });
  const { descriptor } = sink;
  const directly = await takesDirectWrites(sink);
  const target = { descriptor, driver: sink.qemuDriver, isZero: sink.readsAsZeros, directly };
  const finished = new AbortController();
  const syncing = syncRegularly(sink, progress, finished.signal);
  // Awaited at the end; until then its failure must not count as unhandled.
  syncing.catch(() => {});
  try {
    const onProgress = (share: number): void => {
      progress.completed(share);
    };
    await convertTo(target, format, input, onProgress, signal);
  } finally {
    finished.abort();
    await syncing;
  }
  sink.wroteUpTo(virtualSize);
  await updateWritten(sink, progress, virtualSize);
  return virtualSize;
}

/** Whether the file system of the target supports O_DIRECT (open(2)). */
async function takesDirectWrites({ descriptor, path }: Sink & ExternallyWritten): Promise<boolean> {
  try {
    await (await open(`/proc/self/fd/${descriptor}`, constants.O_WRONLY | constants.O_DIRECT)).close();
    return true;
  } catch (error) {
    if (systemCode(error) === 'EINVAL') return false;
    throw asTargetError(error, path);
  }
}

/**
 * Syncs the target regularly, because dirty pages count against the memory limit of the pod whichever process wrote
 * them.
 */
async function syncRegularly(sink: Sink & ExternallyWritten, progress: Progress, signal: AbortSignal): Promise<void> {
  const isOver = () => true;
  while (!(await sleep(SYNC_INTERVAL_MILLISECONDS, false, { signal }).catch(isOver))) {
    await updateWritten(sink, progress, 0);
  }
}

async function updateWritten(sink: Sink & ExternallyWritten, progress: Progress, otherwise: number): Promise<void> {
  const allocated = (await sink.syncSoFar()) ?? otherwise;
  if (allocated > progress.counters.bytesWritten) progress.wrote(allocated - progress.counters.bytesWritten);
}
