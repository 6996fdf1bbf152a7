import { invalid, type Header } from './header.ts';
import type { PieceRun } from './pieces.ts';

/** Sees to it that nothing is taken for data that is an L2 table. */
export class TableGuard {
  readonly #tables: PieceRun;
  readonly #clusterSize: number;

  /** @param tables all of them */
  constructor(tables: PieceRun, { clusterSize }: Header) {
    this.#tables = tables.copy();
    this.#clusterSize = clusterSize;
  }

  /**
   * @param piece none that begins before one that was checked earlier
   * @throws TransferError InvalidImage
   */
  check({ host, length, isWhole }: Pick<PieceRun, 'host' | 'length' | 'isWhole'>): void {
    while (this.#tables.host + this.#clusterSize <= host) this.#tables.advance();
    // Compressed data may take less than it claims.
    if (this.#tables.host < host + (isWhole ? 1 : length)) throw invalid('a cluster lies in an L2 table');
  }
}
