import { TransferError } from '../../base/errors.ts';
import { isZero } from '../../base/zeros.ts';
import { hasDiskSign, isBootSector } from './disk-signs.ts';

export const SECTOR = 512;

/** Whether a raw disk begins so that its length does not matter: with known structures of disks, or still empty. */
export function beginsAsDisk(head: Buffer): boolean {
  return hasDiskSign(head) || isBootSector(head) || isZero(head);
}

/**
 * Refuses an object without signs of a disk that does not consist of whole sectors either.
 *
 * @param total in bytes
 * @throws TransferError NotAnImage
 */
export function refuseOddLength(total: number, location: string): void {
  if (total % SECTOR === 0) return;
  throw new TransferError(
    'NotAnImage',
    `${location} is not a disk image of a known kind, and can hardly be a raw disk: its ${total} bytes are not whole sectors ` +
      'and begin with no partition table or file system: check the URL or the file, or state the format raw if it is one all the same',
  );
}
