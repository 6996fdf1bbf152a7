import type { ByteReader } from '../../../base/bytes.ts';
import { RandomAccessNeeded } from '../../../base/errors.ts';
import type { Extent } from '../../../base/extents.ts';
import type { MappedImage } from './image.ts';
import { PieceInflater } from './inflater.ts';
import { LARGEST_PIECE, type PieceRun } from './pieces.ts';
import { piecesLeft } from './resume.ts';
import { Schedule } from './schedule.ts';
import { TableGuard } from './table-guard.ts';
import { readTablesOf } from './tables.ts';

/** A longer gap that no table maps so far is probably mapped by a later one. In bytes. */
const LONGEST_UNKNOWN = 4 * 1024 * 1024;

/**
 * How far data may precede its table where the image cannot be read in any other way, in bytes: qemu-img goes on with a
 * host cluster that compressed clusters have begun behind however much that could not be compressed.
 */
const LONGEST_LEAD = 32 * 1024 * 1024;

/** Most pieces in memory at once. */
const MOST_WAITING = 2_000_000;

export interface StreamOptions {
  /** Whether to give up early where a table probably comes after what it maps. */
  isWary: boolean;
  /** The position of an earlier pass, from which to resume: what that one handed out is left out. */
  from: number;
}

/**
 * One pass over an image from its start. In images that `qemu-img convert` writes, each table precedes what it maps.
 */
export class MappedStream {
  readonly #reader: ByteReader;
  readonly #image: MappedImage;
  readonly #options: StreamOptions;
  /** How far data may precede its table, in bytes. */
  readonly #lead: number;
  readonly #inflater: PieceInflater;
  readonly #pieces = new Schedule();
  #tables: PieceRun | undefined;
  #end = 0;

  constructor(reader: ByteReader, image: MappedImage, options: StreamOptions) {
    this.#reader = reader;
    this.#image = image;
    this.#options = options;
    this.#lead = image.lead > 0 && !options.isWary ? Math.max(LONGEST_LEAD, image.lead) : image.lead;
    this.#inflater = new PieceInflater(image);
  }

  /** The position to resume from, see {@link DecodedDisk}. */
  get position(): number {
    // Where places of the disk share data, the next piece may begin before the end of the last one.
    const next = Math.min(this.#pieces.next?.host ?? Infinity, this.#inflater.host, this.#tables?.host ?? 0);
    return Math.max(this.#options.from, Math.min(this.#end, next));
  }

  /**
   * @throws RandomAccessNeeded where something precedes the table that maps it
   * @throws TransferError InvalidImage, TruncatedImage
   */
  async *extents(): AsyncGenerator<Extent, void, void> {
    try {
      this.#tables = await readTablesOf(this.#image, (offset, length) => this.#takeAt(offset, length));
      const guard = new TableGuard(this.#tables, this.#image);
      for (;;) {
        if (this.#isNear(this.#tables)) await this.#readTables(this.#tables);
        const { next } = this.#pieces;
        if (next === undefined) break;
        guard.check(next);
        if (next.isWhole) {
          // There are tens of thousands of pieces, most of which need no waiting.
          const bytes = this.#reader.peekReceived(next.host, next.length) ?? (await this.#peekAt(next));
          while (!this.#inflater.startPiece(bytes, next)) yield* this.#inflater.takeFirst();
          this.#pass(next.host);
        } else if (this.#inflater.takesPlain(next.length)) {
          const bytes = this.#reader.peekReceived(next.host, next.length) ?? (await this.#peekAt(next));
          if (bytes.length < next.length) throw this.#image.failures.truncated();
          while (!this.#inflater.addPlain(bytes, next.host, next.guest)) yield* this.#inflater.takeFirst();
          this.#pass(next.host);
        } else {
          await this.#goTo(next.host);
          yield* this.#plain(next.guest, next.length);
        }
      }
      yield* this.#inflater.takeAll();
    } catch (error) {
      if (error instanceof RandomAccessNeeded) yield* this.#inflater.takeAll();
      throw error;
    } finally {
      this.#inflater.close();
    }
  }

  /**
   * Moves past a piece without consuming it: compressed clusters share sectors, and the next one may begin within the
   * last sector of this one.
   */
  #pass(host: number): void {
    this.#pieces.advance();
    // Clusters that share sectors may begin as near as the next byte.
    this.#end = host + 1;
  }

  async #peekAt({ host, length }: PieceRun): Promise<Buffer> {
    await this.#goTo(host);
    return this.#reader.peek(length);
  }

  async *#plain(guest: number, length: number): AsyncGenerator<Extent, void, void> {
    this.#pieces.advance();
    const start = this.#reader.position;
    for (let done = 0; done < length;) {
      const data = await this.#reader.takeSome(length - done);
      if (data.length === 0) throw this.#image.failures.truncated();
      this.#end = start + done + data.length;
      yield { offset: guest + done, data };
      done += data.length;
    }
  }

  /** Whether the next piece may already belong to the next table. */
  #isNear(tables: PieceRun): boolean {
    const piece = this.#pieces.next?.host ?? Infinity;
    return tables.host < Infinity && piece + LARGEST_PIECE > tables.host - this.#lead;
  }

  async #readTables(tables: PieceRun): Promise<void> {
    const { failures } = this.#image;
    while (this.#isNear(tables)) {
      const piece = this.#pieces.next?.host ?? Infinity;
      const start = tables.host - this.#lead;
      const near = Math.max(this.#reader.position, Math.min(start, piece));
      this.#beWary(near);
      await this.#goTo(near);
      const distance = tables.host - this.#reader.position;
      if (distance < 0) throw this.#behind();
      const table = (await this.#reader.peek(distance + tables.length)).subarray(distance);
      if (table.length < tables.length) throw failures.truncated();
      const pieces = this.#image.parseTable(table, tables.guest);
      this.#pieces.add(piecesLeft(pieces, tables.host, this.#options.from));
      if (this.#pieces.waiting > MOST_WAITING) {
        throw failures.needsRandomAccess('maps more than can be kept in mind before its data');
      }
      tables.advance();
    }
  }

  async #takeAt(offset: number, length: number): Promise<Buffer> {
    this.#beWary(offset);
    await this.#goTo(offset);
    const bytes = await this.#reader.take(length);
    if (bytes.length < length) throw this.#image.failures.truncated();
    return bytes;
  }

  async #goTo(offset: number): Promise<void> {
    const distance = offset - this.#reader.position;
    if (distance < 0) throw this.#behind();
    if ((await this.#reader.skip(distance)) < distance) throw this.#image.failures.truncated();
  }

  /** Gives up, before moving to a table, where a gap is too long. */
  #beWary(offset: number): void {
    const unknown = offset - Math.max(this.#reader.position, this.#image.dataStart);
    if (this.#options.isWary && unknown > LONGEST_UNKNOWN) throw this.#behind();
  }

  #behind(): RandomAccessNeeded {
    return this.#image.failures.needsRandomAccess('has a table behind what it maps');
  }
}
