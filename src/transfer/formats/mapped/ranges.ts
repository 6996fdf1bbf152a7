import type { Extent } from '../../extents.ts';
import type { RangeReader } from '../../source.ts';
import { ClusterInflater } from './cluster-inflater.ts';
import { truncated, type Header } from './header.ts';
import { readL1 } from './l1-table.ts';
import { parseL2 } from './l2-table.ts';
import type { PieceRun } from './pieces.ts';
import { readGroups } from './range-groups.ts';
import { piecesLeft } from './resume.ts';
import { Schedule } from './schedule.ts';
import { TableGuard } from './table-guard.ts';

/** Tables are read until they map so many pieces; then these are, before further tables. */
const ENOUGH_PIECES = 1_000_000;
const TABLES_AT_ONCE = 8;

/** Reads a qcow2 image piece by piece, whatever its layout: its tables first, then what they map in the order of the file. */
export class Qcow2Ranges {
  readonly #ranges: RangeReader;
  readonly #header: Header;
  readonly #inflater: ClusterInflater;
  readonly #from: number;
  #position: number;

  /** @param from a position that an earlier pass had come to: what it handed out is left out */
  constructor(ranges: RangeReader, header: Header, from = 0) {
    this.#ranges = ranges;
    this.#header = header;
    this.#inflater = new ClusterInflater(header);
    this.#from = from;
    this.#position = from;
  }

  /** See {@link DecodedDisk}. */
  get position(): number {
    return this.#position;
  }

  /** @throws TransferError InvalidImage, TruncatedImage; what the reader throws */
  async *extents(): AsyncGenerator<Extent, void, void> {
    try {
      const tables = await readL1(this.#header, (offset, length) => readWithin(this.#ranges, offset, length));
      for (const order = tables.copy(); order.host < Infinity;) {
        const schedule = await readTables(this.#ranges, order, this.#header, this.#from);
        yield* this.#pieces(schedule, new TableGuard(tables, this.#header), order.host === Infinity);
      }
    } finally {
      this.#inflater.close();
    }
  }

  async *#pieces(schedule: Schedule, guard: TableGuard, isLast: boolean): AsyncGenerator<Extent, void, void> {
    const groups = readGroups(this.#ranges, schedule, (piece) => {
      guard.check(piece);
    });
    for await (const { start, pieces, bytes } of groups) {
      const data = await bytes;
      for (const { host, guest, length, isWhole } of pieces) {
        const part = data.subarray(host - start, host - start + length);
        // With tables left to be read, the pieces before this place are not all known.
        if (isLast) this.#position = Math.max(this.#position, Math.min(this.#inflater.host, host));
        if (isWhole) {
          if (this.#inflater.isFull) yield* this.#inflater.takeFirst();
          this.#inflater.startCluster(part, { host, guest, length });
        } else {
          yield { offset: guest, data: part };
        }
      }
    }
    yield* this.#inflater.takeAll();
  }
}

/** The tables that come next, until they map enough. */
async function readTables(ranges: RangeReader, order: PieceRun, header: Header, from: number): Promise<Schedule> {
  const schedule = new Schedule();
  while (order.host < Infinity && schedule.waiting < ENOUGH_PIECES) {
    const places: { host: number; guest: number }[] = [];
    for (; places.length < TABLES_AT_ONCE && order.host < Infinity; order.advance()) {
      places.push({ host: order.host, guest: order.guest });
    }
    const tables = await Promise.all(places.map(({ host }) => readWithin(ranges, host, header.clusterSize)));
    for (const [index, { host, guest }] of places.entries()) {
      const table = tables[index];
      if (table !== undefined) schedule.add(piecesLeft(parseL2(table, guest, header), host, from));
    }
  }
  return schedule;
}

async function readWithin(ranges: RangeReader, offset: number, length: number): Promise<Buffer> {
  if (offset + length > ranges.size) throw truncated();
  return ranges.read(offset, length);
}
