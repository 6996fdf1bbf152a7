import { createHash, randomInt } from 'node:crypto';
import { type BlockRange, endOf, gapsBetween } from '../../base/block-range.ts';

/** What a block of a disk has to hold that is not sent. */
export interface BlockCheck {
  /** Offset in bytes from the start of the disk; the block has CHECKED_LENGTH bytes, or reaches to the end. */
  offset: number;
  /** The first 64 bits of its SHA-256. */
  code: bigint;
}

/** Bytes of a block that is checked. */
export const CHECKED_LENGTH = 64 * 1024;
/** Blocks that are checked at random places, besides those beside the ranges that are sent. */
const RANDOM_BLOCKS = 64;
/** Ranges of which the blocks beside them are checked, at most. */
const MOST_EDGES = 64;

/** @returns the code of a block by which both ends compare it */
export function codeOfBlock(block: Buffer): bigint {
  return createHash('sha256').update(block).digest().readBigUInt64BE();
}

/**
 * Chooses the blocks to check of what is not sent: some at random places, and those beside ranges that are sent, where
 * a list that is wrong by a little shows.
 *
 * @param sent ascending, without overlaps
 * @param size of the disk in bytes
 * @returns ascending offsets in bytes; each block lies within what is not sent
 */
export function blocksToCheck(sent: readonly BlockRange[], size: number): number[] {
  const gaps = [...gapsBetween(sent, size)].filter(({ length }) => length >= CHECKED_LENGTH);
  const total = gaps.reduce((sum, { length }) => sum + length - CHECKED_LENGTH + 1, 0);
  const chosen = new Set<number>();
  for (let left = Math.min(RANDOM_BLOCKS, total); left > 0; left -= 1) chosen.add(placeIn(gaps, randomInt(total)));
  for (const gap of gaps.length > MOST_EDGES ? someOf(gaps) : gaps) {
    chosen.add(gap.offset).add(endOf(gap) - CHECKED_LENGTH);
  }
  return [...chosen].sort((a, b) => a - b);
}

function someOf(gaps: readonly BlockRange[]): BlockRange[] {
  return Array.from({ length: MOST_EDGES }, () => gaps[randomInt(gaps.length)]).filter((gap) => gap !== undefined);
}

function placeIn(gaps: readonly BlockRange[], index: number): number {
  let left = index;
  for (const { offset, length } of gaps) {
    const places = length - CHECKED_LENGTH + 1;
    if (left < places) return offset + left;
    left -= places;
  }
  throw new RangeError(`no block ${index} in the gaps`);
}
