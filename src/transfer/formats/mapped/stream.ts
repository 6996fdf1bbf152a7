import type { ByteReader } from '../../bytes.ts';
import { RandomAccessNeeded } from '../../errors.ts';
import type { Extent } from '../../extents.ts';
import { ClusterInflater } from './cluster-inflater.ts';
import { truncated, type Header } from './header.ts';
import { readL1 } from './l1-table.ts';
import { parseL2 } from './l2-table.ts';
import { LARGEST_PIECE, type PieceRun } from './pieces.ts';
import { piecesLeft } from './resume.ts';
import { Schedule } from './schedule.ts';
import { TableGuard } from './table-guard.ts';

/**
 * How far before its table a cluster may lie: compressed clusters begin in what the last one left of its host
 * cluster, even where their table had to be put behind that.
 */
const LONGEST_LEAD = 1024 * 1024;
const LEAD_CLUSTERS = 2;
/** More than that, not mapped by any table so far, is probably mapped by one that comes later. */
const LONGEST_UNKNOWN = 4 * 1024 * 1024;

/** Pieces that are kept in mind at once. */
const MOST_WAITING = 2_000_000;

export interface StreamOptions {
  /** Give up early where it is likely that a table comes after what it maps. */
  isWary: boolean;
  /** A position that an earlier pass had come to: what it handed out is left out. */
  from: number;
}

/**
 * One pass over a qcow2 image from its start. As `qemu-img convert` writes images, each table comes before what it maps.
 */
export class Qcow2Stream {
  readonly #reader: ByteReader;
  readonly #header: Header;
  readonly #options: StreamOptions;
  readonly #inflater: ClusterInflater;
  readonly #pieces = new Schedule();
  #tables: PieceRun | undefined;
  #end = 0;

  constructor(reader: ByteReader, header: Header, options: StreamOptions) {
    this.#reader = reader;
    this.#header = header;
    this.#options = options;
    this.#inflater = new ClusterInflater(header);
  }

  /** See {@link DecodedDisk}. */
  get position(): number {
    // Where places of the disk share data, the next piece may begin before the end of the last.
    const next = Math.min(this.#pieces.next?.host ?? Infinity, this.#inflater.host, this.#tables?.host ?? 0);
    return Math.max(this.#options.from, Math.min(this.#end, next));
  }

  /**
   * @throws RandomAccessNeeded where something comes before the table that maps it
   * @throws TransferError InvalidImage, TruncatedImage
   */
  async *extents(): AsyncGenerator<Extent, void, void> {
    try {
      this.#tables = await readL1(this.#header, (offset, length) => this.#takeAt(offset, length));
      const guard = new TableGuard(this.#tables, this.#header);
      for (;;) {
        await this.#readTables(this.#tables);
        const { next } = this.#pieces;
        if (next === undefined) break;
        guard.check(next);
        await this.#goTo(next.host);
        if (next.isWhole) yield* this.#compressed(next);
        else yield* this.#plain(next.guest, next.length);
      }
      yield* this.#inflater.takeAll();
    } catch (error) {
      if (error instanceof RandomAccessNeeded) yield* this.#inflater.takeAll();
      throw error;
    } finally {
      this.#inflater.close();
    }
  }

  /** Compressed clusters share sectors: the next may begin within this one's last, so nothing is consumed. */
  async *#compressed({ host, guest, length }: PieceRun): AsyncGenerator<Extent, void, void> {
    if (this.#inflater.isFull) yield* this.#inflater.takeFirst();
    this.#pieces.advance();
    // Clusters that share sectors begin as near as the next byte.
    this.#end = host + 1;
    this.#inflater.startCluster(await this.#reader.peek(length), { host, guest, length });
  }

  async *#plain(guest: number, length: number): AsyncGenerator<Extent, void, void> {
    this.#pieces.advance();
    const start = this.#reader.position;
    for (let done = 0; done < length;) {
      const data = await this.#reader.takeSome(length - done);
      if (data.length === 0) throw truncated();
      this.#end = start + done + data.length;
      yield { offset: guest + done, data };
      done += data.length;
    }
  }

  /** Reads the tables that are so near that the next piece may already be one of theirs. */
  async #readTables(tables: PieceRun): Promise<void> {
    const { clusterSize } = this.#header;
    const lead = Math.max(LONGEST_LEAD, LEAD_CLUSTERS * clusterSize);
    while (tables.host < Infinity) {
      const piece = this.#pieces.next?.host ?? Infinity;
      const start = tables.host - lead;
      if (piece + LARGEST_PIECE + clusterSize <= start) return;
      const near = Math.max(this.#reader.position, Math.min(start, piece));
      if (this.#options.isWary && near - this.#reader.position > LONGEST_UNKNOWN) throw behind();
      await this.#goTo(near);
      const distance = tables.host - this.#reader.position;
      if (distance < 0) throw behind();
      const table = (await this.#reader.peek(distance + clusterSize)).subarray(distance);
      if (table.length < clusterSize) throw truncated();
      const pieces = parseL2(table, tables.guest, this.#header);
      this.#pieces.add(piecesLeft(pieces, tables.host, this.#options.from));
      if (this.#pieces.waiting > MOST_WAITING) {
        throw new RandomAccessNeeded('the qcow2 image maps more than can be kept in mind before its data');
      }
      tables.advance();
    }
  }

  async #takeAt(offset: number, length: number): Promise<Buffer> {
    if (this.#options.isWary && offset - this.#reader.position > LONGEST_UNKNOWN) throw behind();
    await this.#goTo(offset);
    const bytes = await this.#reader.take(length);
    if (bytes.length < length) throw truncated();
    return bytes;
  }

  async #goTo(offset: number): Promise<void> {
    const distance = offset - this.#reader.position;
    if (distance < 0) throw behind();
    if ((await this.#reader.skip(distance)) < distance) throw truncated();
  }
}

function behind(): RandomAccessNeeded {
  return new RandomAccessNeeded('the qcow2 image has a table behind what it maps');
}
