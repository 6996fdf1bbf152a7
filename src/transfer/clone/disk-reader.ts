import { constants, open, type FileHandle } from 'node:fs/promises';
import { TransferError, systemCode } from '../errors.ts';
import { dataRuns } from '../sinks/zeros.ts';
import type { DiskExtent, DiskExtents } from './extent-stream.ts';

/** Large enough for the disk to read at its full rate, small enough that all reads in flight stay in a few MiB. */
const READ_LENGTH = 1024 * 1024;
/** Reads under way at a time, so that the disk works while what it gave is being sent. */
const READS_IN_FLIGHT = 4;
/** Longer runs of zeros are told in parts: the other end sees that the stream is alive, and how far it is. */
const LONGEST_ZEROS = 256 * 1024 * 1024;

/**
 * Reads a disk image or device from its start to its end, and tells data from zeros.
 *
 * @param size how many bytes it has
 * @throws TransferError SourceNotReadable, SourceChanged when it ends before `size`
 */
export function readDisk(path: string, size: number): DiskExtents {
  return { size, extents: joinZeros(readExtents(path, size)) };
}

async function* readExtents(path: string, size: number): AsyncGenerator<DiskExtent> {
  const handle = await open(path, constants.O_RDONLY).catch((error: unknown) => {
    throw notReadable(path, error);
  });
  const buffers = Array.from({ length: READS_IN_FLIGHT }, () => Buffer.allocUnsafeSlow(READ_LENGTH));
  const reads: { offset: number; buffer: Buffer; piece: Promise<Buffer> }[] = [];
  let nextOffset = 0;
  const readInto = (buffer: Buffer): void => {
    if (nextOffset >= size) return;
    const offset = nextOffset;
    const length = Math.min(READ_LENGTH, size - offset);
    nextOffset += length;
    const piece = readFully(handle, path, buffer.subarray(0, length), offset);
    // Awaited when its turn comes; until then its failure must not count as unhandled.
    piece.catch(() => undefined);
    reads.push({ offset, buffer, piece });
  };
  try {
    buffers.forEach(readInto);
    for (let read = reads.shift(); read !== undefined; read = reads.shift()) {
      yield* tellApart(read.offset, await read.piece);
      readInto(read.buffer);
    }
  } finally {
    await Promise.allSettled(reads.map(({ piece }) => piece));
    await handle.close();
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
    if (zeros && (extent.data || zeros.length >= LONGEST_ZEROS)) {
      yield zeros;
      zeros = undefined;
    }
    if (extent.data) yield extent;
    else if (zeros) zeros.length += extent.length;
    else zeros = { ...extent };
  }
  if (zeros) yield zeros;
}

async function readFully(handle: FileHandle, path: string, buffer: Buffer, offset: number): Promise<Buffer> {
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
