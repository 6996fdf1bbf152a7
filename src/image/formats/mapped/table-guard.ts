import type { MappedImage } from './image.ts';
import type { PieceRun } from './pieces.ts';

/** Ensures that tables are never interpreted as data. */
export class TableGuard {
  readonly #tables: PieceRun;
  readonly #image: MappedImage;

  /** @param tables all tables of the image */
  constructor(tables: PieceRun, image: MappedImage) {
    this.#tables = tables.copy();
    this.#image = image;
  }

  /**
   * @param piece that does not begin before one that was checked earlier
   * @throws TransferError InvalidImage
   */
  check({ host, length, isWhole }: Pick<PieceRun, 'host' | 'length' | 'isWhole'>): void {
    while (this.#tables.host + this.#tables.length <= host) this.#tables.advance();
    // Compressed data may be shorter than it claims.
    if (this.#tables.host < host + (isWhole ? 1 : length)) throw this.#image.failures.invalid('data lies in a table');
  }
}
