import type { BigIntStats } from 'node:fs';
import { constants, open } from 'node:fs/promises';
import { deviceSize } from '../../base/device-size.ts';
import { systemCode, TransferError } from '../../base/errors.ts';
import { CAUTIOUSLY } from '../../base/planted-files.ts';

/** A disk image or device, with what shows whether it has changed. */
export interface Disk {
  path: string;
  /** Size in bytes. */
  size: number;
  version: string;
}

/**
 * Measures the disk in a file or on a device. Links are not followed, because they may lead out of the volume.
 *
 * @throws TransferError SourceNotReadable
 */
export async function measureDisk(path: string): Promise<Disk> {
  try {
    const file = await open(path, constants.O_RDONLY | CAUTIOUSLY);
    try {
      const stats = await file.stat({ bigint: true });
      // Writes to a device leave no trace that could be checked.
      if (stats.isBlockDevice()) {
        const size = await deviceSize(file);
        return { path, size, version: String(size) };
      }
      if (stats.isFile()) return { path, size: Number(stats.size), version: fileVersion(stats) };
    } finally {
      await file.close();
    }
  } catch (error) {
    throw notReadable(path, error);
  }
  throw new TransferError('SourceNotReadable', `${path} is neither a file nor a block device`);
}

function fileVersion({ ino, size, mtimeNs }: BigIntStats): string {
  return [ino, size, mtimeNs].join(' ');
}

/** Returns what is told of a disk that cannot be opened or read. */
export function notReadable(path: string, error: unknown): TransferError {
  return new TransferError('SourceNotReadable', `${path} cannot be read: ${systemCode(error) ?? String(error)}`, {
    cause: error,
  });
}
