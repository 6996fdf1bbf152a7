import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { systemCode } from '../base/errors.ts';
import { addressOf, canAddress } from '../base/native/ffi.ts';

/** Alignment of direct writes in bytes, in memory and in the file: enough for every usual device. */
const ALIGNMENT = 4096;
/**
 * Bytes between two writebacks. Dirty pages count against the memory limit of the pod; at most twice as many are ever
 * dirty.
 */
const SYNC_EVERY = 32 * 1024 * 1024;

/** Returns how much memory contains `length` bytes that are aligned for direct writes, wherever it begins. */
export function alignableLength(length: number): number {
  return length + ALIGNMENT;
}

/**
 * Returns the part of the memory that is aligned for direct writes, where its address can be determined.
 *
 * @param memory as long as {@link alignableLength} says
 */
export function alignedPart(memory: ArrayBuffer, length: number): Buffer {
  if (!canAddress) return Buffer.from(memory, 0, length);
  const behind = Number(addressOf(Buffer.from(memory)) % BigInt(ALIGNMENT));
  return Buffer.from(memory, (ALIGNMENT - behind) % ALIGNMENT, length);
}

/** Whether data can be written directly from where it is. */
export function isAligned(data: Buffer, position: number): boolean {
  if (!canAddress || position % ALIGNMENT !== 0 || data.length % ALIGNMENT !== 0) return false;
  return addressOf(data) % BigInt(ALIGNMENT) === 0n;
}

/**
 * Writes to a file or a device past the page cache (open(2), O_DIRECT): nothing is copied, and no pages become dirty.
 * Unaligned data is written through the page cache and synced behind the writer, as is everything where the file system
 * does not support direct writes.
 */
export class TargetFile {
  readonly #file: FileHandle;
  readonly #directly: boolean;
  #opening: Promise<FileHandle | undefined> | undefined;
  #refused = false;
  #unsynced = 0;
  #syncing: Promise<void> = Promise.resolve();

  /** @param directly false to write everything through the page cache */
  constructor(file: FileHandle, directly = canAddress) {
    this.#file = file;
    this.#directly = directly;
  }

  /** @param data of memory from {@link alignedPart}, at the same distance from a multiple of 4096 as `position` */
  async write(data: Buffer, position: number): Promise<void> {
    const isAligned = position % ALIGNMENT === 0 && data.length % ALIGNMENT === 0;
    const direct = isAligned && !this.#refused ? await this.#direct() : undefined;
    if (direct !== undefined && (await this.#writeDirectly(direct, data, position))) return;
    await writeFully(this.#file, data, position);
    this.#unsynced += data.length;
    if (this.#unsynced >= SYNC_EVERY) await this.#syncBehind();
  }

  /** Makes everything durable that was written before the call. */
  async sync(): Promise<void> {
    await this.#syncing;
    await this.#file.datasync();
  }

  /** Closes what this object has opened, but not the file itself. */
  async close(): Promise<void> {
    await this.#syncing.catch(() => {});
    const direct = await this.#opening;
    this.#opening = undefined;
    await direct?.close();
  }

  /** @returns false where direct writes are not possible */
  async #writeDirectly(direct: FileHandle, data: Buffer, position: number): Promise<boolean> {
    try {
      await writeFully(direct, data, position);
      return true;
    } catch (error) {
      if (systemCode(error) !== 'EINVAL') throw error;
      this.#refused = true;
      return false;
    }
  }

  #direct(): Promise<FileHandle | undefined> {
    if (!this.#directly) return Promise.resolve(undefined);
    this.#opening ??= open(`/proc/self/fd/${this.#file.fd}`, constants.O_WRONLY | constants.O_DIRECT).catch(
      () => undefined,
    );
    return this.#opening;
  }

  /** Waits for the previous sync, and starts another. */
  async #syncBehind(): Promise<void> {
    this.#unsynced = 0;
    const last = this.#syncing;
    this.#syncing = last.then(() => this.#file.datasync());
    // The next one to wait for it gets the failure.
    this.#syncing.catch(() => {});
    await last;
  }
}

async function writeFully(file: FileHandle, data: Buffer, position: number): Promise<void> {
  let done = 0;
  while (done < data.length) {
    const { bytesWritten } = await file.write(data, done, data.length - done, position + done);
    done += bytesWritten;
  }
}
