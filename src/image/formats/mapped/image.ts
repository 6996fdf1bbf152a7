import type { BlockCodec } from '../../../codec/decompress/block-codecs.ts';
import type { ImageFailures } from '../image-failures.ts';
import type { PieceRun } from './pieces.ts';

/**
 * An image of a header, tables, and the data that the tables map to places of the disk. Offsets and sizes are in bytes.
 */
export interface MappedImage {
  /** Size of the disk as the guest sees it. */
  readonly size: number;
  /** How far data usually precedes its table at most. */
  readonly lead: number;
  /** Offset before which there are only tables. */
  readonly dataStart: number;
  /** Compression of the pieces that can only be used as a whole. */
  readonly compression?: { readonly codec: BlockCodec; readonly blockSize: number };
  readonly failures: ImageFailures;
  /**
   * Reads the offsets of the tables in the file, with the guest offset where each begins.
   *
   * @param read reads bytes of the file; called in ascending order
   * @throws TransferError InvalidImage; errors of `read`
   */
  readTables(read: ReadAt): Promise<PieceRun>;
  /**
   * Parses the data that one table maps. Blocks that read as zeros are left out.
   *
   * @param guest offset on the disk at which the table begins
   * @throws TransferError InvalidImage
   */
  parseTable(table: Buffer, guest: number): PieceRun;
}

/** Reads exactly this many bytes of a file. */
export type ReadAt = (offset: number, length: number) => Promise<Buffer>;

/** Returns the first bytes of a file; fewer only where it has no more. Valid until the next call. */
export type ReadHead = (length: number) => Promise<Buffer>;
