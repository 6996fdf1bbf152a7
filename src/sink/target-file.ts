import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { systemCode } from '../base/errors.ts';
import { ALIGNMENT } from '../base/native/aligned-memory.ts';
import { canAddress } from '../base/native/ffi.ts';
import { kernelAio } from '../base/native/kernel-aio.ts';

/**
 * Bytes between two writebacks. Dirty pages count against the memory limit of the pod; at most twice as many are ever
 * dirty.
 */
const SYNC_EVERY = 32 * 1024 * 1024;
/**
 * From this length on, in bytes, writes are made on threads: to switch to one takes little beside the write, while the
 * kernel's asynchronous calls make the caller wait as long as the file system allocates blocks.
 */
const LONG = 256 * 1024;
/** Threads that writes may occupy; the pool has others for what must not wait for them. */
const MOST_THREADS = 4;

/**
 * Writes to a file or a device past the page cache (open(2), O_DIRECT): nothing is copied, and no pages become dirty.
 * Unaligned data is written through the page cache and synced behind the writer, as is everything where the file system
 * does not support direct writes.
 */
export class TargetFile {
  readonly #file: FileHandle;
  readonly #directly: boolean;
  #opening: Promise<FileHandle | null> | undefined;
  #direct: FileHandle | null | undefined;
  #refused = false;
  #threads = 0;
  #unsynced = 0;
  #syncing: Promise<void> = Promise.resolve();

  /** @param directly false to write everything through the page cache */
  constructor(file: FileHandle, directly = canAddress) {
    this.#file = file;
    this.#directly = directly;
  }

  /** @param data of aligned memory (aligned-memory.ts), at the same distance from a multiple of 4096 as `position` */
  async write(data: Buffer, position: number): Promise<void> {
    const isAligned = position % ALIGNMENT === 0 && data.length % ALIGNMENT === 0;
    const direct =
      isAligned && this.#directly && !this.#refused ? (this.#direct ?? (await this.#openDirectly())) : null;
    if (direct) {
      try {
        const isForThread = data.length >= LONG && this.#threads < MOST_THREADS;
        const written = isForThread ? 0 : await kernelAio()?.write(direct.fd, data, position);
        if (written !== data.length) await this.#onThread(direct, data, position, written);
        return;
      } catch (error) {
        if (systemCode(error) !== 'EINVAL') throw error;
        this.#refused = true;
      }
    }
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
    this.#direct = undefined;
    await direct?.close();
  }

  async #onThread(direct: FileHandle, data: Buffer, position: number, done = 0): Promise<void> {
    this.#threads += 1;
    try {
      await writeFully(direct, data.subarray(done), position + done);
    } finally {
      this.#threads -= 1;
    }
  }

  /** @returns null where direct writes are not possible */
  async #openDirectly(): Promise<FileHandle | null> {
    this.#opening ??= open(`/proc/self/fd/${this.#file.fd}`, constants.O_WRONLY | constants.O_DIRECT).catch(() => null);
    return (this.#direct = await this.#opening);
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
  for (let done = 0; done < data.length;) {
    done += (await file.write(data, done, data.length - done, position + done)).bytesWritten;
  }
}
