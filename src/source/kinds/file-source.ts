import { type FileHandle, open } from 'node:fs/promises';
import type { ByteStream } from '../../base/bytes.ts';
import { deviceSize } from '../../base/device-size.ts';
import { systemCode, TransferError } from '../../base/errors.ts';
import { MemoryPool } from '../../base/memory-pool.ts';
import type { Progress } from '../../base/progress.ts';
import type { OpenedSource, RangeReader, Source } from '../../base/source.ts';

const CHUNK = 1024 * 1024;
/** Buffers for the stream that is read, and for earlier ones that are still being closed. */
const CHUNKS = 4;

/** A file or a block device on this machine. */
export class FileSource implements Source {
  readonly location: string;
  readonly #path: string;
  readonly #progress: Progress;
  readonly #memory = new MemoryPool(CHUNKS * CHUNK, CHUNK);
  readonly #openFile: (path: string) => Promise<FileHandle>;
  #file: FileHandle | undefined;

  /**
   * @param location the name for messages, where it is not the path
   * @param openFile opens the path; restricts which of the files that the process could open are allowed
   */
  constructor(
    path: string,
    progress: Progress,
    location = path,
    openFile: (path: string) => Promise<FileHandle> = (place) => open(place),
  ) {
    this.#openFile = openFile;
    this.location = location;
    this.#path = path;
    this.#progress = progress;
  }

  async open(): Promise<OpenedSource> {
    const file = await this.#open();
    const { ino, mtimeNs } = await file.stat({ bigint: true });
    const size = await sizeOf(file);
    return {
      bytes: this.#read(file, 0),
      size,
      mediaType: undefined,
      version: `inode ${ino}, ${mtimeNs}, ${size} bytes`,
      openAt: (offset) => this.#read(file, offset),
    };
  }

  async openRanges(): Promise<RangeReader> {
    const file = await this.#open();
    return {
      size: await sizeOf(file),
      versioned: true,
      read: async (offset, length, memory = Buffer.allocUnsafe(length)) => {
        const { bytesRead } = await file.read(memory, 0, length, offset);
        if (bytesRead < length) throw new TransferError('TruncatedImage', `${this.location} became shorter`);
        this.#progress.read(bytesRead);
        return memory.subarray(0, length);
      },
    };
  }

  async close(): Promise<void> {
    await this.#file?.close();
  }

  async #open(): Promise<FileHandle> {
    try {
      this.#file ??= await this.#openFile(this.#path);
    } catch (error) {
      if (error instanceof TransferError) throw error;
      const code = systemCode(error) ?? 'failed';
      throw new TransferError(
        'SourceNotReadable',
        `cannot read ${this.location} (${code}): check its path and permissions`,
        {
          cause: error,
        },
      );
    }
    if ((await this.#file.stat()).isDirectory()) {
      throw new TransferError('SourceNotReadable', `${this.location} is a folder: name the image in it`);
    }
    return this.#file;
  }

  async *#read(file: FileHandle, start: number): ByteStream {
    const memory = this.#memory.take();
    if (memory === undefined) throw new Error('a file is read by more streams than it has memory for');
    const chunk = Buffer.from(memory);
    try {
      for (let offset = start; ;) {
        const { bytesRead } = await file.read(chunk, 0, CHUNK, offset);
        if (bytesRead === 0) return;
        offset += bytesRead;
        this.#progress.read(bytesRead);
        yield chunk.subarray(0, bytesRead);
      }
    } finally {
      this.#memory.giveBack(memory);
    }
  }
}

async function sizeOf(file: FileHandle): Promise<number> {
  const stat = await file.stat();
  return stat.isBlockDevice() ? deviceSize(file) : stat.size;
}
