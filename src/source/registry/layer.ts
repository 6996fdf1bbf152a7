import { ByteReader, type ByteStream } from '../../base/bytes.ts';
import { parseChecksum, verified } from '../../base/checksum.ts';
import { TransferError } from '../../base/errors.ts';
import { decompressAll } from '../../codec/decompress/decompress.ts';
import { ArchiveBudget, type ArchiveLimits, archiveLimits } from '../../image/archive/archive-budget.ts';
import { isTarHeader, readTar, type TarEntry } from '../../image/archive/tar-reader.ts';

const BLOCK = 512;
/** Most bytes after the end of a layer's archive; programs pad their last record, of some KiB, with zeros. */
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
   * @param blob the layer as the registry stores it: a tar archive, usually compressed
   * @param location of the image, for messages
   * @throws TransferError UnsupportedImage where it is not an archive
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
        `${location} is not a container image, but something else that is kept in registries (an artifact): its layer ${digest} is ` +
          'no tar archive; a container disk has its disk below /disk/ in a layer',
      );
    }
    return new Layer(reader, limits);
  }

  async *#read(): AsyncGenerator<TarEntry, void, void> {
    try {
      yield* readTar(this.#reader, { budget: this.#budget, isVerified: true });
    } catch (error) {
      // A caller that stops early may still need the current entry, which is not the case after a failure.
      await this.#reader.close();
      throw error;
    }
  }

  /**
   * Passes on the body of the current entry, and ends only after the whole layer was verified.
   *
   * @param body the rest of the body, where its start has been read already
   * @param onOther is called for each later entry; its errors are thrown
   * @throws TransferError ChecksumMismatch, UnsupportedImage where the layer holds too much else; in place of the
   * stream's end
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

  /** Reads the rest after the last entry, so that the layer is verified. */
  async finish(): Promise<void> {
    try {
      const skippedBytes = Math.min(LONGEST_TRAILER, this.#limits.skippedBytes);
      await new ArchiveBudget({ limits: { ...this.#limits, skippedBytes } }).drain(this.#reader);
    } finally {
      await this.#reader.close();
    }
  }
}
