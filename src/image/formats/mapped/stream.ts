import type { ByteReader } from '../../../base/bytes.ts';
import { RandomAccessNeeded } from '../../../base/errors.ts';
import type { Extent } from '../../../base/extents.ts';
import type { MappedImage } from './image.ts';
import { PieceInflater } from './inflater.ts';
import { PassedBytes } from './passed-bytes.ts';
import type { PieceRun } from './pieces.ts';
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

/** Compressed data ends anywhere in its last sector, in which other data may begin. In bytes. */
const SECTOR = 512;

/** Most pieces in memory at once. */
const MOST_WAITING = 2_000_000;

export interface StreamOptions {
  /** Whether to give up early where a table probably comes after what it maps. */
  isWary: boolean;
  /** The position of an earlier pass, from which to resume: what that one handed out is left out. */
  from: number;
}

/**
 * One pass over an image from its start. In images that `qemu-img convert` writes, each table precedes what it maps,
 * but for the little that compressed clusters put into what was left of an earlier host cluster. So what belongs to
 * nothing that is known yet is kept until the next table has been read.
 */
export class MappedStream {
  readonly #reader: ByteReader;
  readonly #image: MappedImage;
  readonly #options: StreamOptions;
  /** How far data may precede its table, in bytes. */
  readonly #lead: number;
  readonly #inflater: PieceInflater;
  readonly #pieces = new Schedule();
  readonly #passed = new PassedBytes();
  #tables: PieceRun | undefined;
  #end = 0;
  /** Offset in the file before which everything belongs to known pieces and tables, or was kept. */
  #taken = 0;

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
        if (next.host < this.#reader.position) {
          yield* this.#passedPiece(next, this.#tables);
          continue;
        }
        guard.check(next);
        if (next.isWhole) {
          // There are tens of thousands of pieces, most of which need no waiting.
          const bytes = this.#peekReceived(next) ?? (await this.#peekAt(next));
          while (!this.#inflater.startPiece(bytes, next)) yield* this.#inflater.takeFirst();
          this.#passWhole(next, bytes);
        } else if (this.#inflater.takesPlain(next.length)) {
          const bytes = this.#peekReceived(next) ?? (await this.#peekAt(next));
          if (bytes.length < next.length) throw this.#image.failures.truncated();
          while (!this.#inflater.addPlain(bytes, next.host, next.guest)) yield* this.#inflater.takeFirst();
          this.#pass(next.host, next.host + next.length);
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
   *
   * @param taken the offset before which nothing can belong to another piece
   */
  #pass(host: number, taken: number): void {
    this.#take(taken);
    this.#pieces.advance();
    // Clusters that share sectors may begin as near as the next byte.
    this.#end = host + 1;
  }

  /** Of a compressed piece, other data may begin, or end, in the first and in the last sector. */
  #passWhole({ host, length }: PieceRun, bytes: Buffer): void {
    const second = Math.ceil(host / SECTOR) * SECTOR;
    const start = Math.max(host, this.#keptFrom());
    if (start < second) this.#keep(start, bytes.subarray(start - host, second - host));
    this.#pass(host, host + length - SECTOR);
  }

  #take(end: number): void {
    this.#taken = Math.max(this.#taken, end);
  }

  /** Where the next piece has been received, moves to it as {@link #goTo} does, and returns it. */
  #peekReceived({ host, length }: PieceRun): Buffer | undefined {
    const start = this.#keptFrom();
    if (start < host) {
      const passed = this.#reader.peekReceived(start, host - start);
      if (passed === undefined) return undefined;
      this.#keep(start, passed);
    }
    return this.#reader.peekReceived(host, length);
  }

  async #peekAt({ host, length }: PieceRun): Promise<Buffer> {
    await this.#goTo(host);
    return this.#reader.peek(length);
  }

  /** Hands out a piece that was met before its table. */
  async *#passedPiece(piece: PieceRun, tables: PieceRun): AsyncGenerator<Extent, void, void> {
    const bytes = this.#passed.from(piece.host, piece.length);
    if (bytes.length < piece.length) {
      new TableGuard(tables, this.#image).check(piece);
      throw this.#behind();
    }
    if (!piece.isWhole) yield { offset: piece.guest, data: bytes };
    else while (!this.#inflater.startPiece(bytes, piece)) yield* this.#inflater.takeFirst();
    this.#pieces.advance();
  }

  async *#plain(guest: number, length: number): AsyncGenerator<Extent, void, void> {
    this.#pieces.advance();
    const start = this.#reader.position;
    this.#take(start + length);
    for (let done = 0; done < length;) {
      const data = await this.#reader.takeSome(length - done);
      if (data.length === 0) throw this.#image.failures.truncated();
      this.#end = start + done + data.length;
      yield { offset: guest + done, data };
      done += data.length;
    }
  }

  /** Whether the next table comes before the next piece. */
  #isNear(tables: PieceRun): boolean {
    return tables.host < Infinity && tables.host <= (this.#pieces.next?.host ?? Infinity);
  }

  async #readTables(tables: PieceRun): Promise<void> {
    const { failures } = this.#image;
    while (this.#isNear(tables)) {
      this.#beWary(tables.host - this.#lead);
      await this.#goTo(tables.host);
      const table = await this.#reader.peek(tables.length);
      if (table.length < tables.length) throw failures.truncated();
      const pieces = this.#image.parseTable(table, tables.guest);
      this.#pieces.add(piecesLeft(pieces, tables.host, this.#options.from));
      if (this.#pieces.waiting > MOST_WAITING) {
        throw failures.needsRandomAccess('maps more than can be kept in mind before its data');
      }
      this.#take(tables.host + tables.length);
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
    const { position } = this.#reader;
    if (offset < position) throw this.#behind();
    const start = this.#keptFrom();
    const distance = Math.min(offset, start) - position;
    if ((await this.#reader.skip(distance)) < distance) throw this.#image.failures.truncated();
    for (let at = start; at < offset; at = this.#reader.position) {
      const passed = await this.#reader.takeSome(offset - at);
      if (passed.length === 0) throw this.#image.failures.truncated();
      this.#keep(at, passed);
    }
  }

  /** The offset from which on what the pass goes past is kept. */
  #keptFrom(): number {
    return Math.max(this.#reader.position, this.#taken, this.#leadStart);
  }

  /** Where data may be that the next table maps. */
  get #leadStart(): number {
    return this.#lead === 0 ? Infinity : (this.#tables?.host ?? Infinity) - this.#lead;
  }

  #keep(offset: number, bytes: Buffer): void {
    this.#passed.dropBefore(this.#leadStart);
    this.#passed.keep(offset, bytes);
    this.#take(offset + bytes.length);
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
