import { BlockInflater } from '../block-inflater.ts';
import type { MappedImage } from './image.ts';
import { LARGEST_PIECE, type PieceRun } from './pieces.ts';

/** Decompresses the compressed pieces of an image. */
export class PieceInflater extends BlockInflater {
  readonly #image: MappedImage;

  constructor(image: MappedImage) {
    // Where nothing is compressed, nothing is ever started.
    const { size, failures, compression = { codec: 'raw', blockSize: LARGEST_PIECE } } = image;
    super({
      ...compression,
      diskSize: size,
      failure: (isDamaged) =>
        failures.invalid(isDamaged ? 'a compressed cluster is damaged' : 'a compressed cluster has the wrong length'),
    });
    this.#image = image;
  }

  /**
   * @param bytes as much of the piece as the file has
   * @returns false where some have to be taken first
   */
  startPiece(bytes: Buffer, { host, guest, length }: Pick<PieceRun, 'host' | 'guest' | 'length'>): boolean {
    // What explains a failure is kept as long as the block, so most blocks have none of their own.
    if (bytes.length >= length) return this.start(bytes, host, guest);
    // The last sector of the file may be incomplete; where that is not enough, the file is truncated rather than
    // damaged.
    return this.start(bytes, host, guest, () => this.#image.failures.truncated());
  }
}
