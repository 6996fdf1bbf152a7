import { frameHeaderLength, skippableLength } from '../native/zstd-format.ts';

/** Of a skippable frame, and of the magic number of another. */
const LONGEST_START = 8;

/**
 * What follows the skippable frames that bytes begin with: of zstd (RFC 8878 section 3.1.2) as well as of lz4, which
 * have them in common. Only what comes then tells the one from the other.
 *
 * @returns undefined where they begin with none; nothing where the bytes end before that
 */
export function behindSkippableFrames(bytes: Buffer): Buffer | undefined {
  let rest = bytes;
  for (;;) {
    if (rest.length < LONGEST_START || frameHeaderLength(rest) === undefined) break;
    const length = skippableLength(rest);
    if (length === undefined) break;
    rest = rest.subarray(LONGEST_START + length);
  }
  return rest === bytes ? undefined : rest;
}
