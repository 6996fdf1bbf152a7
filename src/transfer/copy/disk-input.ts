import { constants, type FileHandle, open } from 'node:fs/promises';
import { deviceSize } from '../../base/device-size.ts';
import { systemCode, TransferError } from '../../base/errors.ts';
import { isAligned } from '../../base/native/aligned-memory.ts';
import { readCached } from '../../base/native/cached-read.ts';
import { kernelAio } from '../../base/native/kernel-aio.ts';
import { CAUTIOUSLY, isDisk } from '../../base/planted-files.ts';
import { mapData } from './data-map.ts';
import { notReadable } from './measured-disk.ts';

/** Places at which is looked whether a disk is in memory. */
const PROBES = 32;
const PROBE_LENGTH = 4096;

/**
 * A disk image or device to be read. Where most of it is in the page cache, it is read from there; otherwise past it:
 * nothing is copied, and many reads are in flight without a thread for each.
 */
export class DiskInput {
  readonly file: FileHandle;
  readonly #path: string;
  #direct: FileHandle | undefined;

  private constructor(path: string, file: FileHandle, direct: FileHandle | undefined) {
    this.#path = path;
    this.file = file;
    this.#direct = direct;
  }

  /**
   * Opens the disk without following links, because the file may have been replaced since it was measured.
   *
   * @throws TransferError SourceNotReadable
   */
  static async open(path: string): Promise<DiskInput> {
    const file = await open(path, constants.O_RDONLY | CAUTIOUSLY).catch((error: unknown) => {
      throw notReadable(path, error);
    });
    if (isDisk(await file.stat())) return new DiskInput(path, file, await openDirectly(file));
    await file.close();
    throw new TransferError('SourceNotReadable', `${path} is neither a file nor a block device`);
  }

  /**
   * Fills a buffer, which must not be used before the promise settles. Large reads are best aligned
   * (aligned-memory.ts).
   *
   * @throws TransferError SourceNotReadable, SourceChanged where the disk ends before
   */
  async read(buffer: Buffer, offset: number): Promise<Buffer> {
    let filled = 0;
    const direct = this.#direct;
    const aio = direct && isAligned(buffer, offset) ? kernelAio() : null;
    if (direct && aio) {
      try {
        filled = await aio.read(direct.fd, buffer, offset);
      } catch (error) {
        if (systemCode(error) !== 'EINVAL') throw notReadable(this.#path, error);
      }
    }
    if (filled === 0) filled = readCached(this.file, buffer, offset);
    while (filled < buffer.length) {
      const { bytesRead } = await this.file
        .read(buffer, filled, buffer.length - filled, offset + filled)
        .catch((error: unknown) => {
          throw notReadable(this.#path, error);
        });
      if (bytesRead === 0) {
        throw new TransferError(
          'SourceChanged',
          `${this.#path} became shorter while it was read: it ends at ${offset + filled}`,
        );
      }
      filled += bytesRead;
    }
    return buffer;
  }

  /** Only once no read is in flight. */
  async close(): Promise<void> {
    await this.#direct?.close();
    await this.file.close();
  }
}

async function openDirectly(file: FileHandle): Promise<FileHandle | undefined> {
  if (kernelAio() === null || isMostlyCached(file, await deviceSize(file))) return undefined;
  return open(`/proc/self/fd/${file.fd}`, constants.O_RDONLY | constants.O_DIRECT).catch(() => undefined);
}

/** @param size of the disk in bytes */
function isMostlyCached(file: FileHandle, size: number): boolean {
  const probe = Buffer.allocUnsafeSlow(PROBE_LENGTH);
  let found = 0;
  let cached = 0;
  for (let index = 0; index < PROBES; index += 1) {
    const from = Math.floor((size * index) / PROBES / PROBE_LENGTH) * PROBE_LENGTH;
    for (const { offset, hole } of mapData(file, from, size)) {
      if (hole) continue;
      found += 1;
      if (readCached(file, probe, offset) > 0) cached += 1;
      break;
    }
  }
  return cached > found / 2;
}
