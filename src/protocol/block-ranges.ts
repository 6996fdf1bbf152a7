import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { type BlockRange, endOf } from '../base/block-range.ts';
import { TransferError } from '../base/errors.ts';

/**
 * The document by which a pod is told which ranges of a volume matter: those that are allocated, or those that have
 * changed. It is a key of a Secret:
 *
 *     u8 version (1); then, deflated and as varints (LEB128): capacity, number of ranges,
 *     and for each range the gap since the end of the one before and its length
 *
 * all of it as base64. Sizes are in bytes.
 */
export interface BlockRanges {
  /** Size of the volume that the ranges are of, in bytes. */
  readonly capacity: number;
  /** Ascending, without overlaps, within the capacity. */
  readonly ranges: readonly BlockRange[];
}

/** The most ranges of a document: more are merged by whoever makes it. */
export const MOST_BLOCK_RANGES = 32_768;
/** Longest document in characters, so that it fits into a Secret beside other keys. */
export const LONGEST_BLOCK_RANGES = 512 * 1024;

const VERSION = 1;
/** The most bytes of a varint: those of the largest safe integer. */
const LONGEST_VARINT = 8;
/** The most bytes of a document before it is deflated. */
const LONGEST_BODY = (2 + 2 * MOST_BLOCK_RANGES) * LONGEST_VARINT;

/** @throws TypeError where the ranges are not in order, or are too many */
export function encodeBlockRanges({ capacity, ranges }: BlockRanges): string {
  if (ranges.length > MOST_BLOCK_RANGES) throw new TypeError(`${ranges.length} ranges are too many for one document`);
  const body: number[] = [];
  pushVarint(body, capacity);
  pushVarint(body, ranges.length);
  let at = 0;
  for (const range of ranges) {
    pushVarint(body, range.offset - at);
    pushVarint(body, range.length);
    at = endOf(range);
  }
  return Buffer.concat([Buffer.of(VERSION), deflateRawSync(Buffer.from(body))]).toString('base64');
}

/** @throws TransferError RequestNotUnderstood */
export function decodeBlockRanges(text: string): BlockRanges {
  if (text.length > LONGEST_BLOCK_RANGES) throw notUnderstood(`it has ${text.length} characters`);
  const bytes = Buffer.from(text, 'base64');
  if (bytes[0] !== VERSION) throw notUnderstood(`its version is ${bytes[0] ?? 'missing'}`);
  const next = varints(inflated(bytes.subarray(1)));
  const capacity = next();
  const count = next();
  if (count > MOST_BLOCK_RANGES) throw notUnderstood(`it has ${count} ranges`);
  const ranges: BlockRange[] = [];
  for (let at = 0; ranges.length < count;) {
    const range = { offset: at + next(), length: next() };
    at = endOf(range);
    if (range.length === 0 || at > capacity) throw notUnderstood('a range of it is empty or beyond the end');
    ranges.push(range);
  }
  return { capacity, ranges };
}

function pushVarint(into: number[], value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) throw new TypeError(`${value} is no gap, length or capacity`);
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) into.push((rest % 0x80) | 0x80);
  into.push(rest);
}

function varints(body: Buffer): () => number {
  let at = 0;
  return () => {
    let value = 0;
    for (let index = 0; index < LONGEST_VARINT; index += 1) {
      const byte = body[at];
      if (byte === undefined) throw notUnderstood('it ends early');
      at += 1;
      value += (byte & 0x7f) * 0x80 ** index;
      if (byte > 0x7f) continue;
      if (Number.isSafeInteger(value)) return value;
      break;
    }
    throw notUnderstood('a number of it is too large');
  };
}

function inflated(deflated: Buffer): Buffer {
  try {
    return inflateRawSync(deflated, { maxOutputLength: LONGEST_BODY });
  } catch (error) {
    throw notUnderstood('it cannot be inflated', error);
  }
}

function notUnderstood(why: string, cause?: unknown): TransferError {
  return new TransferError(
    'RequestNotUnderstood',
    `the list of the ranges of the volume is not understood, which another version may have written: ${why}`,
    { cause },
  );
}
