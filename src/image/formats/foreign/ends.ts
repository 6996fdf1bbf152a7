import { named, type NamedSignature } from './named-signature.ts';

/** Bytes at the end of an object that are checked. */
export const END_LENGTH = 512;

/**
 * Images that look like raw disks except for their end: what they are, and what to do about it. Offsets are relative to
 * the checked end.
 */
export const foreignEnds: readonly NamedSignature[] = [
  named('a disk image of macOS (DMG), which is not read here: convert it with qemu-img convert -f dmg first', 'koly'),
  named('a VHD of before 2004, with a footer of 511 bytes: convert it with its own program first', 'conectix', 1),
  named('a CD image of Nero (NRG): convert it to an ISO image first', 'NERO', END_LENGTH - 8),
  named('a CD image of Nero (NRG): convert it to an ISO image first', 'NER5', END_LENGTH - 12),
];
