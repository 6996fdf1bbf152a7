import type { FileHandle } from 'node:fs/promises';
import { MemoryPool } from '../../base/memory-pool.ts';
import { alignableLength, alignedPart, ALIGNMENT } from '../../base/native/aligned-memory.ts';
import { settleAll } from '../../base/settle-all.ts';
import { dataRuns } from '../../base/zeros.ts';
import { mapData, type Segment } from './data-map.ts';
import { DiskInput } from './disk-input.ts';
import type { DiskExtent, DiskExtents } from './extent-stream.ts';

/**
 * Large enough for the disk to read at its full rate, small enough that all reads in flight fit in a few MiB. In bytes.
 */
const BATCH_LENGTH = 1024 * 1024;
/** Number of batches that are read at once, so that the disk stays busy while data is being sent. */
const BATCHES_IN_FLIGHT = 4;
/** Number of batches at most that are being read or are lent to a writer. */
const MOST_BATCHES = 2 * BATCHES_IN_FLIGHT;
/** Most segments of a batch. */
const LONGEST_BATCH = 64;
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

/** Segments of which the data are read together. */
interface Batch {
  readonly segments: readonly Segment[];
  readonly memory: ArrayBuffer;
  /** What is read of each segment; empty for a hole. */
  readonly data: Promise<Buffer[]>;
}

async function* readExtents(path: string, { from, size }: DiskRange, map: DiskMap): AsyncGenerator<DiskExtent[]> {
  const disk = await DiskInput.open(path);
  const length = alignableLength(BATCH_LENGTH);
  const memories = new MemoryPool(MOST_BATCHES * length, length);
  const batches: Batch[] = [];
  const groups = gather(split(map(disk.file, from, size)));
  let isAllRead = false;
  const startReads = (): void => {
    while (batches.length < BATCHES_IN_FLIGHT && !isAllRead) {
      const memory = memories.take();
      if (memory === undefined) return;
      const { value: segments } = groups.next();
      isAllRead = segments === undefined;
      if (!segments) return;
      const data = settleAll(
        placesFor(segments, alignedPart(memory, BATCH_LENGTH)).map((place, index) => {
          const segment = segments[index];
          return segment === undefined || segment.hole ? Promise.resolve(place) : disk.read(place, segment.offset);
        }),
      );
      // Awaited in its turn; until then its failure must not count as unhandled.
      data.catch(() => undefined);
      batches.push({ segments, memory, data });
    }
  };
  try {
    for (;;) {
      startReads();
      const [batch] = batches;
      if (batch === undefined) {
        if (isAllRead) return;
        await memories.untilGivenBack();
        continue;
      }
      const data = await batch.data;
      const lent: Promise<unknown>[] = [];
      yield extentsOf(batch.segments, data, (settled) => void lent.push(settled));
      batches.shift();
      memories.giveBackAfter(batch.memory, lent);
    }
  } finally {
    await Promise.allSettled(batches.map(async ({ data }) => data));
    await disk.close();
  }
}

/** @param data what was read of each segment */
function extentsOf(
  segments: readonly Segment[],
  data: readonly Buffer[],
  keepUntil: NonNullable<DiskExtent['keepUntil']>,
): DiskExtent[] {
  return segments.flatMap(({ offset, length, hole, isUnchanged }, index) =>
    hole
      ? [{ offset, length, ...(isUnchanged && { isUnchanged }) }]
      : tellApart(offset, data[index] ?? Buffer.alloc(0), keepUntil),
  );
}

/** Returns the memory for each segment, at aligned places; none for a hole. */
function placesFor(segments: readonly Segment[], memory: Buffer): Buffer[] {
  let at = 0;
  return segments.map(({ length, hole }) => {
    const place = memory.subarray(at, hole ? at : at + length);
    at += hole ? 0 : aligned(length);
    return place;
  });
}

/** Gathers as many segments as fit into the memory of a batch. */
function* gather(segments: Iterable<Segment>): Generator<Segment[], undefined> {
  let group: Segment[] = [];
  let bytes = 0;
  for (const segment of segments) {
    const length = segment.hole ? 0 : aligned(segment.length);
    if (bytes + length > BATCH_LENGTH || group.length >= LONGEST_BATCH) {
      yield group;
      group = [];
      bytes = 0;
    }
    group.push(segment);
    bytes += length;
  }
  if (group.length > 0) yield group;
}

function aligned(length: number): number {
  return Math.ceil(length / ALIGNMENT) * ALIGNMENT;
}

function* split(segments: Iterable<Segment>): Generator<Segment, undefined> {
  for (const segment of segments) {
    if (segment.hole) {
      yield segment;
      continue;
    }
    const end = segment.offset + segment.length;
    for (let offset = segment.offset; offset < end;) {
      const next = Math.min(end, (Math.floor(offset / BATCH_LENGTH) + 1) * BATCH_LENGTH);
      yield { offset, length: next - offset, hole: false };
      offset = next;
    }
  }
}

function tellApart(at: number, piece: Buffer, keepUntil: NonNullable<DiskExtent['keepUntil']>): DiskExtent[] {
  const extents: DiskExtent[] = [];
  let told = 0;
  for (const [start, end] of dataRuns(piece)) {
    if (start > told) extents.push({ offset: at + told, length: start - told });
    extents.push({ offset: at + start, length: end - start, data: piece.subarray(start, end), keepUntil });
    told = end;
  }
  if (told < piece.length) extents.push({ offset: at + told, length: piece.length - told });
  return extents;
}

async function* joinZeros(extents: AsyncIterable<readonly DiskExtent[]>): AsyncGenerator<DiskExtent[]> {
  let zeros: DiskExtent | undefined;
  for await (const some of extents) {
    const joined: DiskExtent[] = [];
    for (const extent of some) {
      const isZeros = !extent.data && !extent.isUnchanged;
      if (zeros && (!isZeros || zeros.length >= LONGEST_ZEROS)) {
        joined.push(zeros);
        zeros = undefined;
      }
      if (!isZeros) joined.push(extent);
      else if (zeros) zeros.length += extent.length;
      else zeros = { ...extent };
    }
    if (joined.length > 0) yield joined;
  }
  if (zeros) yield [zeros];
}
