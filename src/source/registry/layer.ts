import { ArchiveBudget, archiveLimits, type ArchiveLimits } from '../../image/archive/archive-budget.ts';
import { isTarHeader, readTar, type TarEntry } from '../../image/archive/tar-reader.ts';
import { ByteReader, type ByteStream } from '../../base/bytes.ts';
import { parseChecksum, verified } from '../../base/checksum.ts';
import { decompressAll } from '../../codec/decompress/decompress.ts';
import { TransferError } from '../../base/errors.ts';

const BLOCK = 512;
/** What may follow the end of a layer's archive, in bytes; programs fill up their last record, of some KiB, with zeros. */
const LONGEST_TRAILER = 64 * 1024 * 1024;

/** The files of one layer of an image. */
export class Layer {
  readonly entries: AsyncGenerator<TarEntry, void, void>;
  readonly #reader: ByteReader;
  readonly #limits: ArchiveLimits;
  readonly #budget: ArchiveBudget;

  private constructor(reader: ByteReader, limits: ArchiveLimits) {
    this.#reader = reader;
    this.#limits = limits;
    this.#budget = new ArchiveBudget({ limits });
    this.entries = this.#read();
  }

  /**
   * @param blob the layer as the registry stores it: a tar archive, mostly compressed
   * @param location of the image, for messages
   * @throws TransferError UnsupportedImage where it is no archive
   */
  static async open(
    blob: ByteStream,
    digest: string,
    location: string,
    limits: ArchiveLimits = archiveLimits,
  ): Promise<Layer> {
    const bytes = verified(blob, parseChecksum(digest), `${location} (layer ${digest})`);
    const { reader } = await decompressAll(new ByteReader(bytes));
    const start = await reader.peek(BLOCK);
    if (!isTarHeader(start) && start.some((byte) => byte !== 0)) {
      await reader.close();
      throw new TransferError(
        'UnsupportedImage',
        `${location} is no container image, but something else that is kept in registries (an artifact): its layer ${digest} is ` +
          'no tar archive; a container disk has its disk below /disk/ in a layer',
      );
    }
    return new Layer(reader, limits);
  }

  async *#read(): AsyncGenerator<TarEntry, void, void> {
    try {
      yield* readTar(this.#reader, { budget: this.#budget, isVerified: true });
    } catch (error) {
      // Whoever reads no further may still want the entry that was reached; after a failure nobody does.
      await this.#reader.close();
      throw error;
    }
  }

  /**
   * Passes on the body of the entry that was reached last, and ends only after the whole layer was verified.
   *
   * @param body what is left of it, where somebody has looked at it
   * @param onOther is called for each entry behind it; what it throws is thrown
   * @throws TransferError ChecksumMismatch, UnsupportedImage where the layer holds too much else; in place of the stream's end
   */
  async *contentsOf(entry: TarEntry, body = entry.body, onOther?: (other: TarEntry) => Promise<void>): ByteStream {
    try {
      yield* body;
      if (onOther !== undefined) for await (const other of this.entries) await onOther(other);
      await this.#budget.drain(this.#reader);
    } finally {
      await this.#reader.close();
    }
  }

  /** After the last entry, reads what is left, so that the layer is verified. */
  async finish(): Promise<void> {
    try {
      const skippedBytes = Math.min(LONGEST_TRAILER, this.#limits.skippedBytes);
      await new ArchiveBudget({ limits: { ...this.#limits, skippedBytes } }).drain(this.#reader);
    } finally {
      await this.#reader.close();
    }
  }
}
