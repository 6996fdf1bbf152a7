import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { systemCode } from '../base/errors.ts';
import { addressOf, canAddress } from '../base/native/ffi.ts';

/** What direct writes have to be aligned to, in memory and in the file: enough for every usual device. */
const ALIGNMENT = 4096;
/** Dirty pages count against the pod's memory; written back this often, at most twice as many are ever dirty. */
const SYNC_EVERY = 32 * 1024 * 1024;

/** How much memory has so many bytes that direct writes can be made from, wherever it begins. */
export function alignableLength(length: number): number {
  return length + ALIGNMENT;
}

/**
 * The part of some memory that direct writes can be made from, where its place can be found out.
 *
 * @param memory of so many bytes as {@link alignableLength} says
 */
export function alignedPart(memory: ArrayBuffer, length: number): Buffer {
  if (!canAddress) return Buffer.from(memory, 0, length);
  const behind = Number(addressOf(Buffer.from(memory)) % BigInt(ALIGNMENT));
  return Buffer.from(memory, (ALIGNMENT - behind) % ALIGNMENT, length);
}

/**
 * Writes to a file or a device past the page cache (open(2), O_DIRECT): nothing is copied, and nothing is ever dirty in
 * memory. What is not aligned, and everything where the file system cannot do that, is written as usual, and synced
 * behind the writer.
 */
export class TargetFile {
  readonly #file: FileHandle;
  readonly #directly: boolean;
  #opening: Promise<FileHandle | undefined> | undefined;
  #refused = false;
  #unsynced = 0;
  #syncing: Promise<void> = Promise.resolve();

  /** @param directly false to write all as usual */
  constructor(file: FileHandle, directly = canAddress) {
    this.#file = file;
    this.#directly = directly;
  }

  /** @param data of memory that came from {@link alignedPart}, at the same distance from a multiple of 4096 as `position` */
  async write(data: Buffer, position: number): Promise<void> {
    const isAligned = position % ALIGNMENT === 0 && data.length % ALIGNMENT === 0;
    const direct = isAligned && !this.#refused ? await this.#direct() : undefined;
    if (direct !== undefined && (await this.#writeDirectly(direct, data, position))) return;
    await writeFully(this.#file, data, position);
    this.#unsynced += data.length;
    if (this.#unsynced >= SYNC_EVERY) await this.#syncBehind();
  }

  /** Makes what was written durable. */
  async sync(): Promise<void> {
    await this.#syncing;
    await this.#file.datasync();
  }

  /** Leaves the file itself open. */
  async close(): Promise<void> {
    await this.#syncing.catch(() => {});
    const direct = await this.#opening;
    this.#opening = undefined;
    await direct?.close();
  }

  /** @returns false where it cannot be written like that */
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

  /** Waits for the last sync, and starts another. */
  async #syncBehind(): Promise<void> {
    this.#unsynced = 0;
    const last = this.#syncing;
    this.#syncing = last.then(() => this.#file.datasync());
    // Whoever waits for it next is told.
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
