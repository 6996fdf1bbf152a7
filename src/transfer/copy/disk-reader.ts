import { constants, type FileHandle, open } from 'node:fs/promises';
import { systemCode, TransferError } from '../../base/errors.ts';
import { CAUTIOUSLY, isDisk } from '../../base/planted-files.ts';
import { dataRuns } from '../../base/zeros.ts';
import { mapData, type Segment } from './data-map.ts';
import type { DiskExtent, DiskExtents } from './extent-stream.ts';

/**
 * Large enough for the disk to read at its full rate, small enough that all reads in flight fit in a few MiB. In bytes.
 */
const READ_LENGTH = 1024 * 1024;
/** Number of concurrent reads, so that the disk stays busy while data is being sent. */
const READS_IN_FLIGHT = 4;
/** Longer runs of zeros are split, so that the other end sees that the stream is alive and how far it is. In bytes. */
const LONGEST_ZEROS = 256 * 1024 * 1024;

/** The part of a disk to read, in bytes. */
export interface DiskRange {
  from: number;
  /** Size of the whole disk. */
  size: number;
}

/** Yields the data and the holes of a file between two offsets in bytes, in order and without gaps. */
export type DiskMap = (file: FileHandle, from: number, end: number) => Iterable<Segment>;

/**
 * Reads a disk image or device to its end, and separates data from zeros. Holes of an image are not read.
 *
 * @param map tells what has to be read
 * @throws TransferError SourceNotReadable, SourceChanged where it ends before `size`
 */
export function readDisk(path: string, range: DiskRange, map: DiskMap = mapData): DiskExtents {
  return { size: range.size, extents: joinZeros(readExtents(path, range, map)) };
}

/** A hole, or data that is being read. */
interface Reading {
  segment: Segment;
  buffer?: Buffer<ArrayBuffer>;
  data?: Promise<Buffer>;
}

async function* readExtents(path: string, { from, size }: DiskRange, map: DiskMap): AsyncGenerator<DiskExtent> {
  const handle = await openDisk(path);
  const buffers = Array.from({ length: READS_IN_FLIGHT }, () => Buffer.allocUnsafeSlow(READ_LENGTH));
  const readings: Reading[] = [];
  const segments = split(map(handle, from, size));
  const readAhead = (): void => {
    while (buffers.length > 0) {
      const { value: segment } = segments.next();
      if (!segment) return;
      const buffer = segment.hole ? undefined : buffers.pop();
      if (!buffer) {
        readings.push({ segment });
        continue;
      }
      const data = readFully(handle, path, buffer.subarray(0, segment.length), segment.offset);
      // Awaited in its turn; until then its failure must not count as unhandled.
      data.catch(() => undefined);
      readings.push({ segment, buffer, data });
    }
  };
  try {
    readAhead();
    for (let reading = readings.shift(); reading !== undefined; reading = readings.shift()) {
      const { segment, buffer, data } = reading;
      if (!data || !buffer) {
        const { offset, length, isUnchanged } = segment;
        yield { offset, length, ...(isUnchanged && { isUnchanged }) };
        continue;
      }
      yield* tellApart(segment.offset, await data);
      buffers.push(buffer);
      readAhead();
    }
  } finally {
    await Promise.allSettled(readings.map(async ({ data }) => data));
    await handle.close();
  }
}

/** Opens the disk without following links, because the file may have been replaced since it was measured. */
export async function openDisk(path: string): Promise<FileHandle> {
  const handle = await open(path, constants.O_RDONLY | CAUTIOUSLY).catch((error: unknown) => {
    throw notReadable(path, error);
  });
  if (isDisk(await handle.stat())) return handle;
  await handle.close();
  throw new TransferError('SourceNotReadable', `${path} is neither a file nor a block device`);
}

function* split(segments: Iterable<Segment>): Generator<Segment, undefined> {
  for (const segment of segments) {
    if (segment.hole) {
      yield segment;
      continue;
    }
    const end = segment.offset + segment.length;
    for (let offset = segment.offset; offset < end;) {
      const next = Math.min(end, (Math.floor(offset / READ_LENGTH) + 1) * READ_LENGTH);
      yield { offset, length: next - offset, hole: false };
      offset = next;
    }
  }
}

function* tellApart(at: number, piece: Buffer): Generator<DiskExtent> {
  let told = 0;
  for (const [start, end] of dataRuns(piece)) {
    if (start > told) yield { offset: at + told, length: start - told };
    yield { offset: at + start, length: end - start, data: piece.subarray(start, end) };
    told = end;
  }
  if (told < piece.length) yield { offset: at + told, length: piece.length - told };
}

async function* joinZeros(extents: AsyncIterable<DiskExtent>): AsyncGenerator<DiskExtent> {
  let zeros: DiskExtent | undefined;
  for await (const extent of extents) {
    const isZeros = !extent.data && !extent.isUnchanged;
    if (zeros && (!isZeros || zeros.length >= LONGEST_ZEROS)) {
      yield zeros;
      zeros = undefined;
    }
    if (!isZeros) yield extent;
    else if (zeros) zeros.length += extent.length;
    else zeros = { ...extent };
  }
  if (zeros) yield zeros;
}

export async function readFully(handle: FileHandle, path: string, buffer: Buffer, offset: number): Promise<Buffer> {
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await handle
      .read(buffer, filled, buffer.length - filled, offset + filled)
      .catch((error: unknown) => {
        throw notReadable(path, error);
      });
    if (bytesRead === 0) {
      throw new TransferError(
        'SourceChanged',
        `${path} became shorter while it was read: it ends at ${offset + filled}`,
      );
    }
    filled += bytesRead;
  }
  return buffer;
}

function notReadable(path: string, error: unknown): TransferError {
  return new TransferError('SourceNotReadable', `${path} cannot be read: ${systemCode(error) ?? String(error)}`, {
    cause: error,
  });
}
