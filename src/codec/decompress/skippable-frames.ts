import { frameHeaderLength, skippableLength } from '../native/zstd-format.ts';

/** Bytes that hold the header of a skippable frame, and the magic number of another one. */
const LONGEST_START = 8;

/**
 * Returns what follows the leading skippable frames, which zstd (RFC 8878 section 3.1.2) and lz4 share. Only what
 * follows tells the two formats apart.
 *
 * @returns undefined where there are no leading skippable frames; nothing where the bytes end within them
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
