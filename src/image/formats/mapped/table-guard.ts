import type { MappedImage } from './image.ts';
import type { PieceRun } from './pieces.ts';

/** Sees to it that nothing is taken for data that is a table. */
export class TableGuard {
  readonly #tables: PieceRun;
  readonly #image: MappedImage;

  /** @param tables all of them */
  constructor(tables: PieceRun, image: MappedImage) {
    this.#tables = tables.copy();
    this.#image = image;
  }

  /**
   * @param piece none that begins before one that was checked earlier
   * @throws TransferError InvalidImage
   */
  check({ host, length, isWhole }: Pick<PieceRun, 'host' | 'length' | 'isWhole'>): void {
    while (this.#tables.host + this.#tables.length <= host) this.#tables.advance();
    // Compressed data may take less than it claims.
    if (this.#tables.host < host + (isWhole ? 1 : length)) throw this.#image.failures.invalid('data lies in a table');
  }
}
