import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { deviceSize, SECTOR } from '../base/device-size.ts';
import { TransferError } from '../base/errors.ts';
import type { Extent } from '../base/extents.ts';
import { programSucceeds } from '../base/programs.ts';
import type { Progress } from '../base/progress.ts';
import { CoalescingWriter } from './coalescing-writer.ts';
import { zeroWithoutWriting } from './deallocate.ts';
import type { DiskTarget } from './disk-target.ts';
import { type Range, RangeSet } from './range-set.ts';
import type { UnfinishedTarget } from './resumable-sink.ts';
import type { WrittenTarget } from './sink.ts';
import { asTargetError, imageTooLarge } from './target-errors.ts';

const MEBIBYTE = 1024 * 1024;
/** Most ranges in a checkpoint, which has to be small. */
const MOST_REMEMBERED_RANGES = 1000;

export interface BlockSinkOptions {
  path: string;
  /** Whether the whole device is left allocated. */
  preallocation: boolean;
}

/**
 * A raw disk on a block device. Old content of the device must not show through: the device is deallocated first where
 * it reads as zeros afterwards; otherwise everything that was not written is zeroed at the end.
 */
export class BlockSink implements DiskTarget {
  readonly path: string;
  readonly qemuDriver = 'host_device';
  readonly #preallocation: boolean;
  readonly #progress: Progress;
  readonly #written = new RangeSet();
  #file: FileHandle | undefined;
  #writer: CoalescingWriter | undefined;
  #size = 0;
  #readsAsZeros = false;
  #isUpdate = false;

  constructor(options: BlockSinkOptions, progress: Progress) {
    this.path = options.path;
    this.#preallocation = options.preallocation;
    this.#progress = progress;
  }

  get readsAsZeros(): boolean {
    return this.#readsAsZeros;
  }

  async begin(virtualSize: number | undefined): Promise<void> {
    const file = await this.#open(virtualSize);
    this.#written.clear();
    this.#readsAsZeros = !this.#preallocation && (await this.#deallocate());
    this.#writer = this.#createWriter(file, false);
  }

  async update(virtualSize: number): Promise<boolean> {
    const file = await this.#open(virtualSize);
    this.#writer = this.#createWriter(file, true);
    return true;
  }

  async resume(
    { identity, written, isUpdate = false }: UnfinishedTarget,
    virtualSize: number | undefined,
  ): Promise<boolean> {
    const file = await this.#open(virtualSize);
    if (this.#identity() !== identity) return false;
    this.#written.clear();
    for (const [start, end] of written ?? []) this.#written.add(start, end);
    this.#readsAsZeros = written === undefined;
    this.#writer = this.#createWriter(file, isUpdate);
    return true;
  }

  async checkpoint(): Promise<UnfinishedTarget | undefined> {
    try {
      await this.#writer?.flush();
    } catch (error) {
      throw asTargetError(error, this.path);
    }
    if (this.#isUpdate) return { identity: this.#identity(), isUpdate: true };
    if (this.#readsAsZeros) return { identity: this.#identity() };
    const { ranges } = this.#written;
    if (ranges.length > MOST_REMEMBERED_RANGES) return undefined;
    return { identity: this.#identity(), written: ranges.map(({ start, end }) => [start, end]) };
  }

  async read(offset: number, length: number): Promise<Buffer> {
    const { buffer, bytesRead } = await this.#opened().read(Buffer.allocUnsafe(length), 0, length, offset);
    return buffer.subarray(0, bytesRead);
  }

  async write(extent: Extent): Promise<void> {
    const end = extent.offset + extent.data.length;
    if (end > this.#size) throw imageTooLarge(this.path, { size: end, isAtLeast: true, largest: this.#size });
    try {
      await this.#writer?.write(extent);
    } catch (error) {
      throw asTargetError(error, this.path);
    }
  }

  wroteUpTo(end: number): void {
    this.#written.add(0, end);
  }

  async finish(): Promise<WrittenTarget> {
    const file = this.#opened();
    try {
      await this.#writer?.flush();
      await this.#writer?.settle();
      if (!this.#readsAsZeros && !this.#isUpdate) {
        this.#progress.enter('zeroing');
        for (const gap of this.#written.gaps(this.#size)) await this.#zero(file, gap);
      }
      await file.sync();
      await file.close();
    } catch (error) {
      throw asTargetError(error, this.path);
    }
    this.#file = undefined;
    return { size: this.#size, preallocated: this.#preallocation };
  }

  async suspend(): Promise<void> {
    await this.#writer?.settle();
    await this.#file?.close();
    this.#file = undefined;
  }

  async abandon(): Promise<void> {
    await this.#writer?.settle();
    const file = this.#file;
    if (file === undefined) return;
    this.#file = undefined;
    if (!(await this.#deallocate())) {
      // Partition tables and file systems begin at the start, and the backup partition table is at the end.
      await this.#zero(file, { start: 0, end: Math.min(MEBIBYTE, this.#size) });
      await this.#zero(file, { start: Math.max(0, this.#size - MEBIBYTE), end: this.#size });
    }
    await file.sync();
    await file.close();
  }

  async syncSoFar(): Promise<undefined> {
    await this.#opened().datasync();
    return undefined;
  }

  async #open(virtualSize: number | undefined): Promise<FileHandle> {
    await this.#writer?.settle();
    let file: FileHandle;
    try {
      file = this.#file ??= await open(this.path, constants.O_RDWR);
      if (!(await file.stat()).isBlockDevice()) {
        throw new TransferError('TargetNotWritable', `${this.path} is not a block device`);
      }
      this.#size = await deviceSize(file);
    } catch (error) {
      throw asTargetError(error, this.path);
    }
    if (virtualSize !== undefined && virtualSize > this.#size) {
      throw imageTooLarge(this.path, { size: virtualSize, largest: this.#size });
    }
    return file;
  }

  #createWriter(file: FileHandle, isUpdate: boolean): CoalescingWriter {
    this.#isUpdate = isUpdate;
    if (isUpdate) {
      return new CoalescingWriter(file, this.#progress, { zero: (range) => this.#zeroWithoutWriting(file, range) });
    }
    const onWritten = (start: number, end: number): void => {
      if (!this.#readsAsZeros) this.#written.add(start, end);
    };
    return new CoalescingWriter(file, this.#progress, { onWritten });
  }

  /** Identifies the device by its size, because it has nothing else to tell it from another one. */
  #identity(): string {
    return `device of ${this.#size} bytes`;
  }

  get descriptor(): number {
    return this.#opened().fd;
  }

  #opened(): FileHandle {
    if (this.#file === undefined) throw new Error('the target has not been begun');
    return this.#file;
  }

  /** Punches a hole. The kernel refuses where it would not read as zeros. */
  async #deallocate(): Promise<boolean> {
    const range = ['--offset', '0', '--length', this.#size.toString()];
    return programSucceeds('fallocate', ['--punch-hole', '--keep-size', ...range, this.path]);
  }

  async #zero(file: FileHandle, { start, end }: Range): Promise<void> {
    const first = Math.ceil(start / SECTOR) * SECTOR;
    const last = Math.floor(end / SECTOR) * SECTOR;
    if (last - first >= MEBIBYTE && (await this.#zeroByKernel(first, last))) {
      await writeZeros(file, { start, end: first });
      await writeZeros(file, { start: last, end });
    } else {
      await writeZeros(file, { start, end });
    }
  }

  async #zeroWithoutWriting(file: FileHandle, range: Range): Promise<boolean> {
    if (!this.#preallocation && (await zeroWithoutWriting(file, range, { keepsStorage: false }))) return true;
    const isLong = range.end - range.start >= MEBIBYTE && range.start % SECTOR === 0 && range.end % SECTOR === 0;
    return isLong && this.#zeroByKernel(range.start, range.end);
  }

  async #zeroByKernel(start: number, end: number): Promise<boolean> {
    const range = ['--offset', start.toString(), '--length', (end - start).toString()];
    // Forced, because this process already has the device open.
    return programSucceeds('blkdiscard', ['--force', '--zeroout', ...range, this.path]);
  }
}

async function writeZeros(file: FileHandle, { start, end }: Range): Promise<void> {
  const zeros = Buffer.alloc(Math.min(MEBIBYTE, end - start));
  for (let at = start; at < end;) {
    const { bytesWritten } = await file.write(zeros, 0, Math.min(zeros.length, end - at), at);
    at += bytesWritten;
  }
}
