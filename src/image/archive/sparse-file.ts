import { setImmediate } from 'node:timers/promises';
import type { ByteReader, ByteStream } from '../../base/bytes.ts';
import { TransferError } from '../../base/errors.ts';
import { zeroPieces } from '../../base/zeros.ts';
import { BLOCK, damaged, decimal, readBody, readNumber, takeBlocks } from './tar-blocks.ts';

/** A file of which an archive contains only the pieces between its holes (`tar --sparse`). */
export interface SparseFile {
  /** Size in bytes, including holes. */
  size: number;
  /** Pieces in order, which are contiguous in the archive. */
  pieces: readonly { offset: number; length: number }[];
}

const MOST_PIECES = 2 ** 18;
/** Most digits of a number. */
const LONGEST_NUMBER = 20;
const HOLES_IN_A_ROW = 1024;

/**
 * Bytes of an offset and a length in a map in 512-byte blocks of GNU tar's own format (gnu_sparse_header in its tar.h).
 */
const ENTRY = 24;
const HEADER_MAP = { start: 386, entries: 4, isExtended: 482 };
const EXTENSION_MAP = { start: 0, entries: 21, isExtended: 504 };
const REAL_SIZE = 483;

/**
 * Reads the map in the header of GNU tar's own format, and in the blocks that follow it.
 *
 * @param stored bytes of the file that are in the archive
 */
export async function readHeaderMap(header: Buffer, reader: ByteReader, stored: number): Promise<SparseFile> {
  const numbers: number[] = [];
  let block = header;
  for (let map = HEADER_MAP; ; map = EXTENSION_MAP) {
    for (let index = 0; index < map.entries; index += 1) {
      const entry = block.subarray(map.start + index * ENTRY, map.start + (index + 1) * ENTRY);
      if (entry[12] === 0) break;
      numbers.push(readNumber(entry.subarray(0, 12)), readNumber(entry.subarray(12)));
    }
    checkCount(numbers.length / 2);
    if (block[map.isExtended] !== 1) break;
    block = await takeBlocks(reader, BLOCK);
  }
  return sparseFile(readNumber(header.subarray(REAL_SIZE, REAL_SIZE + 12)), numbers, stored);
}

/**
 * Reads the map that PAX format 1.0 has before the pieces: decimal numbers, one for each line, padded to whole blocks.
 *
 * @param stored bytes of the map and the file that are in the archive
 */
export async function readBodyMap(size: number, reader: ByteReader, stored: number): Promise<SparseFile> {
  const start = reader.position;
  const numbers: number[] = [];
  let wanted = 1;
  for (let rest = ''; numbers.length < wanted;) {
    if (reader.position - start + BLOCK > stored) throw damaged();
    const lines = (rest + (await takeBlocks(reader, BLOCK)).toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (numbers.length === wanted) break;
      numbers.push(decimal(line));
      if (numbers.length === 1) wanted = 1 + 2 * checkCount(numbers[0] ?? 0);
    }
    if (numbers.length < wanted && rest.length > LONGEST_NUMBER) throw damaged();
  }
  return sparseFile(size, numbers.slice(1), stored - (reader.position - start));
}

/**
 * @param numbers offset and length of each piece
 * @param stored bytes of the file that are in the archive
 * @throws TransferError InvalidImage where they contradict each other
 */
export function sparseFile(size: number, numbers: readonly number[], stored: number): SparseFile {
  const pieces = [];
  let end = 0;
  let sum = 0;
  checkCount(numbers.length / 2);
  for (let index = 0; index < numbers.length; index += 2) {
    const [offset = NaN, length = NaN] = numbers.slice(index, index + 2);
    if (!(offset >= end) || !(offset + length <= size)) throw damaged();
    end = offset + length;
    sum += length;
    pieces.push({ offset, length });
  }
  if (sum !== stored) throw damaged();
  return { size, pieces };
}

/** Yields the whole file; its holes are known to be zeros without looking. */
export async function* expand({ size, pieces }: SparseFile, reader: ByteReader): ByteStream {
  let at = 0;
  for (const { offset, length } of pieces) {
    yield* holes(offset - at);
    yield* readBody(reader, length);
    at = offset + length;
  }
  yield* holes(size - at);
}

async function* holes(length: number): ByteStream {
  let count = 0;
  for (const piece of zeroPieces(length)) {
    yield piece;
    count += 1;
    // Nothing here has to be waited for, so other work needs a turn.
    if (count % HOLES_IN_A_ROW === 0) await setImmediate();
  }
}

function checkCount(pieces: number): number {
  if (!Number.isInteger(pieces)) throw damaged();
  if (pieces <= MOST_PIECES) return pieces;
  throw new TransferError(
    'UnsupportedImage',
    `the tar archive has a sparse file in more than ${MOST_PIECES} pieces: make it without --sparse`,
  );
}
