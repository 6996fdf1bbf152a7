/**
 * How large a Filesystem volume has to be for a disk, and how large a disk on it may be. Sizes are in bytes. An overhead is what the volume
 * is larger than the disk, as a share of the disk: 0 ≤ overhead < 1.
 */

const MEBIBYTE = 2 ** 20;
/** In MiB, of a quotient: less than a byte of a disk of a PiB. */
const ROUNDING = 1e-7;

/** The volume, in whole MiB, on which a disk of so many bytes fits beside the overhead. */
export function volumeForDisk(disk: number, overhead: number): number {
  const aligned = Math.ceil(disk / MEBIBYTE) * MEBIBYTE;
  return Math.ceil((aligned * (1 + overhead)) / MEBIBYTE) * MEBIBYTE;
}

/** What a disk that its volume is to be used for is grown to: in whole MiB, what fits beside the overhead. */
export function diskOfVolume(volume: number, overhead: number): number {
  // What was enlarged by the overhead comes out whole again, whatever the division rounds.
  return Math.floor(volume / (1 + overhead) / MEBIBYTE + ROUNDING) * MEBIBYTE;
}

/** The largest disk that fits beside the overhead, which may be of any size. */
export function largestDisk(volume: number, overhead: number): number {
  return Math.max(diskOfVolume(volume, overhead), Math.floor(volume / (1 + overhead)));
}

/** The device, in whole MiB, into which every disk fits that fits on the volume. */
export function deviceForVolume(volume: number, overhead: number): number {
  return Math.ceil(largestDisk(volume, overhead) / MEBIBYTE) * MEBIBYTE;
}
