import type { DiskRange, DiskSource } from '../../base/disk-source.ts';
import { TransferError } from '../../base/errors.ts';
import { formatExactBytes } from '../../base/format-bytes.ts';

/**
 * Yields the ranges of a disk in pieces for reading: neighbours with the same content as one piece, and data in pieces
 * of at most `longest` bytes.
 *
 * @throws TransferError ProtocolViolation where the ranges have gaps or overlaps, or do not end with the disk
 */
export async function* piecesOf(
  disk: Pick<DiskSource, 'size' | 'ranges' | 'location'>,
  from: number,
  longest: number,
): AsyncGenerator<DiskRange, void, void> {
  let pending: DiskRange | undefined;
  for await (const range of contiguousRanges(disk, from)) {
    if (pending !== undefined && pending.content !== range.content) {
      yield pending;
      pending = undefined;
    }
    pending = { ...range, offset: pending?.offset ?? range.offset, length: (pending?.length ?? 0) + range.length };
    for (; pending.content === 'data' && pending.length > longest; pending = after(pending, longest)) {
      yield { ...pending, length: longest };
    }
  }
  if (pending !== undefined) yield pending;
}

function after({ offset, length, content }: DiskRange, done: number): DiskRange {
  return { offset: offset + done, length: length - done, content };
}

/** Yields the ranges of a disk, of which no part may be missing: what is not mentioned would come to read as zeros. */
async function* contiguousRanges(
  disk: Pick<DiskSource, 'size' | 'ranges' | 'location'>,
  from: number,
): AsyncGenerator<DiskRange, void, void> {
  let end = from;
  for await (const range of disk.ranges(from)) {
    if (range.offset !== end || range.length <= 0 || end + range.length > disk.size) throw incomplete(disk, end);
    end += range.length;
    yield range;
  }
  if (end !== disk.size) throw incomplete(disk, end);
}

function incomplete({ location }: Pick<DiskSource, 'location'>, at: number): TransferError {
  return new TransferError(
    'ProtocolViolation',
    `${location} lists its ranges with a gap or an overlap at ${formatExactBytes(at)}, and cannot be imported so`,
  );
}
