import { readTar, type TarEntry } from '../archive/tar-reader.ts';
import { ByteReader, type ByteStream } from '../bytes.ts';
import { parseChecksum, verified } from '../checksum.ts';
import { decompressAll } from '../decompress/decompress.ts';

/** The files of one layer of an image. */
export class Layer {
  readonly entries: AsyncGenerator<TarEntry, void, void>;
  readonly #reader: ByteReader;

  private constructor(reader: ByteReader) {
    this.#reader = reader;
    this.entries = readTar(reader);
  }

  /**
   * @param blob the layer as the registry stores it: a tar archive, mostly compressed
   * @param location of the image, for messages
   */
  static async open(blob: ByteStream, digest: string, location: string): Promise<Layer> {
    const bytes = verified(blob, parseChecksum(digest), `${location} (layer ${digest})`);
    const { reader } = await decompressAll(new ByteReader(bytes));
    return new Layer(reader);
  }

  /**
   * Passes on the body of the entry that was reached last, and ends only after the whole layer was verified.
   *
   * @throws TransferError ChecksumMismatch, in place of the stream's end
   */
  async *contentsOf(entry: TarEntry): ByteStream {
    try {
      yield* entry.body;
      await this.#reader.drain();
    } finally {
      await this.#reader.close();
    }
  }

  /** Reads what is left, so that the layer is verified. */
  async finish(): Promise<void> {
    await this.#reader.drain();
    await this.#reader.close();
  }
}
