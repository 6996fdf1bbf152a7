import { printable } from '../../../base/printable.ts';
import type { ImageFailures } from '../image-failures.ts';

/** Offset of the backing file's location in the header of any qcow version, in bytes. */
const OFFSET_AT = 8;
const LENGTH_AT = 16;

/**
 * Refuses an image that is incomplete without another one.
 *
 * @param header of a qcow of any version, with what follows it
 * @throws TransferError UnsupportedImage
 */
export function refuseBackingFile(header: Buffer, { unsupported }: ImageFailures): void {
  if (header.readBigUInt64BE(OFFSET_AT) === 0n) return;
  const name = backingFileName(header);
  const which = name === undefined ? 'a backing file' : `the backing file ${name}`;
  throw unsupported(`has ${which}, without which it is incomplete: flatten it with qemu-img convert`);
}

/** Returns the name of the backing file in the header, where there is one that is readable. */
export function backingFileName(header: Buffer): string | undefined {
  const offset = Number(header.readBigUInt64BE(OFFSET_AT));
  const length = header.readUInt32BE(LENGTH_AT);
  if (offset === 0 || length === 0 || offset + length > header.length) return undefined;
  return printable(header.subarray(offset, offset + length));
}
