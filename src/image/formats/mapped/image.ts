import type { BlockCodec } from '../../../codec/decompress/block-codecs.ts';
import type { ImageFailures } from '../image-failures.ts';
import type { PieceRun } from './pieces.ts';

/** An image of a header, tables, and the data that these map to places of the disk. Offsets and sizes in bytes. */
export interface MappedImage {
  /** Of the disk, as its guest sees it. */
  readonly size: number;
  /** How far before its table data may lie. */
  readonly lead: number;
  /** Nothing but tables lies before. */
  readonly dataStart: number;
  /** Of the pieces that are of use only as a whole. */
  readonly compression?: { readonly codec: BlockCodec; readonly blockSize: number };
  readonly failures: ImageFailures;
  /**
   * Places of the tables in the file, with the guest offset where each begins.
   *
   * @param read bytes of the file; asked for from its start on
   * @throws TransferError InvalidImage; whatever `read` throws
   */
  readTables(read: ReadAt): Promise<PieceRun>;
  /**
   * The data that one table maps. What reads as zeros is left out.
   *
   * @param guest where on the disk it begins
   * @throws TransferError InvalidImage
   */
  parseTable(table: Buffer, guest: number): PieceRun;
}

/** Exactly so many bytes of a file. */
export type ReadAt = (offset: number, length: number) => Promise<Buffer>;

/** The first bytes of a file; fewer only where it has no more. Valid until the next call. */
export type ReadHead = (length: number) => Promise<Buffer>;
