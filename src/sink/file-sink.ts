import { constants } from 'node:fs';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { systemCode, TransferError } from '../base/errors.ts';
import type { Extent } from '../base/extents.ts';
import { CAUTIOUSLY } from '../base/planted-files.ts';
import type { Progress } from '../base/progress.ts';
import { syncDirectory } from '../base/sync-directory.ts';
import { CoalescingWriter } from './coalescing-writer.ts';
import { zeroWithoutWriting } from './deallocate.ts';
import type { DiskTarget } from './disk-target.ts';
import { preallocate } from './preallocate.ts';
import type { UnfinishedTarget } from './resumable-sink.ts';
import type { WrittenTarget } from './sink.ts';
import { asTargetError, imageTooLarge } from './target-errors.ts';
import { measureVolume, type VolumeRequest, type VolumeSpace } from './volume-space.ts';

/** The unit in which stat counts, in bytes. */
const STAT_BLOCK = 512;

export interface FileSinkOptions {
  path: string;
  /** Whether the storage of the whole disk is reserved beforehand. */
  preallocation: boolean;
  /** The volume that the file has to itself: the disk is grown to the usable size. */
  volume?: VolumeRequest;
  /**
   * Whether the overhead of the volume is only a reserve for growth: a disk that was made without it is accepted as it
   * is.
   */
  overheadIsReserve?: boolean;
  /** Whether the disk is not complete yet, and is not grown to the size of the volume. */
  keepsDiskSize?: boolean;
}

interface Reopening {
  /** Of the file that is expected; any one where it is missing. */
  identity?: string;
  isUpdate?: boolean | undefined;
  virtualSize: number | undefined;
}

/** A raw disk in a sparse file. */
export class FileSink implements DiskTarget {
  readonly path: string;
  readonly qemuDriver = 'file';
  readonly readsAsZeros = true;
  readonly #options: FileSinkOptions;
  readonly #progress: Progress;
  #file: FileHandle | undefined;
  #writer: CoalescingWriter | undefined;
  #space: VolumeSpace = { largest: Number.MAX_SAFE_INTEGER, usable: 0, taken: 0 };
  #preallocated = false;
  #isUpdate = false;

  constructor(options: FileSinkOptions, progress: Progress) {
    this.path = options.path;
    this.#options = options;
    this.#progress = progress;
  }

  async begin(virtualSize: number | undefined): Promise<void> {
    await this.#writer?.settle();
    try {
      this.#file ??= await this.#open(constants.O_CREAT);
      await this.#file.truncate(0);
      await this.#allowGroup(this.#file);
      await this.#measure();
      if (virtualSize !== undefined) {
        if (virtualSize > this.#space.largest) throw imageTooLarge(this.path, { size: virtualSize, ...this.#space });
        await this.#file.truncate(virtualSize);
      }
      await this.#preallocate(virtualSize);
    } catch (error) {
      throw asTargetError(error, this.path);
    }
    this.#writer = this.#createWriter(this.#file, false);
  }

  async resume({ identity, isUpdate }: UnfinishedTarget, virtualSize: number | undefined): Promise<boolean> {
    return this.#reopen({ identity, isUpdate, virtualSize });
  }

  async update(virtualSize: number): Promise<boolean> {
    return this.#reopen({ isUpdate: true, virtualSize });
  }

  async checkpoint(): Promise<UnfinishedTarget> {
    const file = this.#opened();
    try {
      await this.#writer?.flush();
      return { identity: await identify(file), ...(this.#isUpdate && { isUpdate: true }) };
    } catch (error) {
      throw asTargetError(error, this.path);
    }
  }

  async read(offset: number, length: number): Promise<Buffer> {
    const { buffer, bytesRead } = await this.#opened().read(Buffer.allocUnsafe(length), 0, length, offset);
    return buffer.subarray(0, bytesRead);
  }

  async write(extent: Extent): Promise<void> {
    const end = extent.offset + extent.data.length;
    if (end > this.#space.largest) throw imageTooLarge(this.path, { size: end, isAtLeast: true, ...this.#space });
    try {
      await this.#writer?.write(extent);
    } catch (error) {
      throw asTargetError(error, this.path);
    }
  }

  wroteUpTo(): void {
    // A file reads as zeros wherever it was not written.
  }

  async finish(virtualSize: number): Promise<WrittenTarget> {
    const file = this.#opened();
    const size = this.#finalSize(virtualSize);
    try {
      await this.#writer?.flush();
      await this.#writer?.settle();
      await file.truncate(size);
      if (this.#options.preallocation && !this.#preallocated) await this.#allocate(size);
      await file.sync();
      await file.close();
      await syncDirectory(dirname(this.path));
    } catch (error) {
      throw asTargetError(error, this.path);
    }
    this.#file = undefined;
    return { size, preallocated: this.#preallocated };
  }

  async suspend(): Promise<void> {
    await this.#writer?.settle();
    await this.#file?.close();
    this.#file = undefined;
  }

  async abandon(): Promise<void> {
    await this.#writer?.settle();
    if (this.#file === undefined) return;
    await this.#file.truncate(0);
    await this.#file.close();
    this.#file = undefined;
    await unlink(this.path);
  }

  async syncSoFar(): Promise<number> {
    const file = this.#opened();
    await file.datasync();
    const { blocks } = await file.stat();
    return blocks * STAT_BLOCK;
  }

  get descriptor(): number {
    return this.#opened().fd;
  }

  /** Opens the file as it is; returns false where there is none, or another one. */
  async #reopen({ identity, isUpdate = false, virtualSize = 0 }: Reopening): Promise<boolean> {
    await this.#writer?.settle();
    try {
      const file = (this.#file ??= await this.#open());
      if (identity !== undefined && (await identify(file)) !== identity) return false;
      const { blocks, size } = await file.stat();
      await this.#measure(blocks * STAT_BLOCK);
      if (virtualSize > this.#space.largest) throw imageTooLarge(this.path, { size: virtualSize, ...this.#space });
      if (virtualSize > size) await file.truncate(virtualSize);
      await this.#preallocate(virtualSize);
      this.#writer = this.#createWriter(file, isUpdate);
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return false;
      throw asTargetError(error, this.path);
    }
    return true;
  }

  #createWriter(file: FileHandle, isUpdate: boolean): CoalescingWriter {
    this.#isUpdate = isUpdate;
    if (!isUpdate) return new CoalescingWriter(file, this.#progress);
    const how = { keepsStorage: this.#options.preallocation };
    return new CoalescingWriter(file, this.#progress, { zero: (range) => zeroWithoutWriting(file, range, how) });
  }

  async #open(flags = 0): Promise<FileHandle> {
    const file = await open(this.path, constants.O_RDWR | CAUTIOUSLY | flags, 0o660);
    if ((await file.stat()).isFile()) return file;
    await file.close();
    throw new TransferError('TargetNotWritable', `${this.path} is not a regular file, and is left as it is: remove it`);
  }

  #opened(): FileHandle {
    if (this.#file === undefined) throw new Error('the target has not been begun');
    return this.#file;
  }

  /** Lets the group write, where the umask or an earlier file has denied that. */
  async #allowGroup(file: FileHandle): Promise<void> {
    try {
      await file.chmod(0o660);
    } catch (error) {
      if (systemCode(error) !== 'EPERM') throw error;
    }
  }

  /** @param used bytes of the volume that the file already occupies */
  async #measure(used = 0): Promise<void> {
    const { volume, overheadIsReserve } = this.#options;
    if (volume === undefined) return;
    this.#space = await measureVolume(dirname(this.path), volume, { used, overheadIsReserve });
  }

  /**
   * Returns the final size of the disk. While the disk's size is not known, that is at least what the volume offers.
   */
  #finalSize(virtualSize = 0): number {
    return this.#options.keepsDiskSize === true ? virtualSize : Math.max(virtualSize, this.#space.usable);
  }

  async #preallocate(virtualSize: number | undefined): Promise<void> {
    this.#preallocated = false;
    if (!this.#options.preallocation) return;
    if (virtualSize === undefined && this.#options.volume === undefined) return;
    await this.#allocate(this.#finalSize(virtualSize));
  }

  async #allocate(size: number): Promise<void> {
    await preallocate(this.#opened(), this.path, size);
    this.#preallocated = true;
  }
}

/** Identifies a file by its inode alone: a volume that is mounted anew has another device number. */
async function identify(file: FileHandle): Promise<string> {
  const { ino } = await file.stat();
  return `inode ${ino}`;
}
