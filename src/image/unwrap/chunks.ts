import { TransferError } from '../../base/errors.ts';
import type { OvfDisk } from './ovf.ts';
import { memberPath, referredPaths } from './package-path.ts';

/** Suffix of the parts of a file: .000000000, .000000001 (DSP0243 section 7.1). */
const CHUNK = /\.(\d{9})$/;

/** The members of a package that contain its disk: one, or several chunks. */
export class DiskFiles {
  readonly #disk: OvfDisk;
  readonly #location: string;
  readonly #paths: readonly string[];
  #chunks = 0;
  #length = 0;
  #last: { path: string; size: number } | undefined;

  /**
   * @param descriptor path of the OVF descriptor, which its references are relative to
   * @param location of the package, for messages
   */
  constructor(disk: OvfDisk, descriptor: string, location: string) {
    this.#disk = disk;
    this.#location = location;
    this.#paths = referredPaths(disk.href, descriptor);
  }

  /** The name in messages. */
  get name(): string {
    return this.#disk.href;
  }

  get isChunked(): boolean {
    return this.#disk.chunkSize !== undefined;
  }

  includes(path: string): boolean {
    const name = memberPath(path);
    return this.#paths.includes(this.isChunked ? name.replace(CHUNK, '') : name);
  }

  /**
   * Records the next chunk.
   *
   * @throws TransferError UnsupportedImage where it is out of order, TruncatedImage where the one before it is
   * incomplete
   */
  add(path: string, size: number): void {
    const number = CHUNK.exec(path)?.[1];
    if (number === undefined || Number(number) !== this.#chunks) throw this.outOfOrder(path);
    if (this.#last !== undefined && this.#last.size !== this.#disk.chunkSize) throw this.#incomplete(this.#last.path);
    this.#chunks += 1;
    this.#length += size;
    this.#last = { path, size };
  }

  /** @throws TransferError TruncatedImage where chunks are missing */
  finish(): void {
    if (this.isChunked && this.#length < (this.#disk.size ?? 0)) throw this.#incomplete(this.name);
  }

  outOfOrder(path: string): TransferError {
    return new TransferError(
      'UnsupportedImage',
      `${this.#location} has its disk ${this.name} in chunks, and they do not come one after the other, behind the OVF ` +
        `descriptor (${path}): join them, and import the disk from a file of its own`,
    );
  }

  #incomplete(path: string): TransferError {
    return new TransferError('TruncatedImage', `${this.#location} does not have all of ${path}: it is incomplete`);
  }
}
