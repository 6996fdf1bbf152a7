/**
 * How large a Filesystem volume has to be for a disk, and how large a disk on it may be. Sizes are in bytes. The
 * overhead is the amount by which the volume exceeds the disk, as a fraction of the disk: 0 ≤ overhead < 1.
 */

const MEBIBYTE = 2 ** 20;
/** Rounding tolerance of a quotient in MiB: less than one byte of a disk of 1 PiB. */
const ROUNDING = 1e-7;

/** Returns the size of the volume, in whole MiB, that holds a disk of this size besides the overhead. */
export function volumeForDisk(disk: number, overhead: number): number {
  const aligned = Math.ceil(disk / MEBIBYTE) * MEBIBYTE;
  return Math.ceil((aligned * (1 + overhead)) / MEBIBYTE) * MEBIBYTE;
}

/** Returns the size, in whole MiB, to which a disk is grown that may use the whole volume besides the overhead. */
export function diskOfVolume(volume: number, overhead: number): number {
  // A size that was enlarged by the overhead has to come out exactly, however the division rounds.
  return Math.floor(volume / (1 + overhead) / MEBIBYTE + ROUNDING) * MEBIBYTE;
}

/** Returns the largest disk, of any size, that fits besides the overhead. */
export function largestDisk(volume: number, overhead: number): number {
  return Math.max(diskOfVolume(volume, overhead), Math.floor(volume / (1 + overhead)));
}

/** Returns the size of a device, in whole MiB, that fits every disk that fits on the volume. */
export function deviceForVolume(volume: number, overhead: number): number {
  return Math.ceil(largestDisk(volume, overhead) / MEBIBYTE) * MEBIBYTE;
}
