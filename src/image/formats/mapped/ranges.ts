import type { Extent } from '../../../base/extents.ts';
import type { RangeReader } from '../../../base/source.ts';
import type { MappedImage } from './image.ts';
import { PieceInflater } from './inflater.ts';
import { type Group, readGroups } from './range-groups.ts';
import { piecesLeft } from './resume.ts';
import { Schedule } from './schedule.ts';
import { TableGuard } from './table-guard.ts';
import { readTablesOf } from './tables.ts';

/** Tables are read until they map this many pieces; then these are read, before further tables. */
const ENOUGH_PIECES = 1_000_000;

/** Reads an image in ranges, whatever its layout: its tables first, then what they map in the order of the file. */
export class MappedRanges {
  readonly #ranges: RangeReader;
  readonly #image: MappedImage;
  readonly #inflater: PieceInflater;
  readonly #from: number;
  #position: number;

  /** @param from the position of an earlier pass, from which to resume: what that one handed out is left out */
  constructor(ranges: RangeReader, image: MappedImage, from = 0) {
    this.#ranges = ranges;
    this.#image = image;
    this.#inflater = new PieceInflater(image);
    this.#from = from;
    this.#position = from;
  }

  /** The position to resume from, see {@link DecodedDisk}. */
  get position(): number {
    return this.#position;
  }

  /** @throws TransferError InvalidImage, TruncatedImage; errors of the reader */
  async *extents(): AsyncGenerator<Extent, void, void> {
    let groups: AsyncGenerator<Group, void, void> | undefined;
    try {
      const tables = await readTablesOf(this.#image, (offset, length) => this.#readWithin(offset, length));
      groups = readGroups({
        ranges: this.#ranges,
        schedule: new Schedule(tables.copy()),
        failures: this.#image.failures,
      });
      for (let isLast = false; !isLast;) {
        const schedule = new Schedule();
        isLast = await this.#readTables(groups, schedule);
        yield* this.#pieces(schedule, new TableGuard(tables, this.#image), isLast);
      }
    } finally {
      await groups?.return();
      this.#inflater.close();
    }
  }

  /**
   * Reads the next tables, until they map enough.
   *
   * @returns whether those were the last
   */
  async #readTables(groups: AsyncGenerator<Group, void, void>, schedule: Schedule): Promise<boolean> {
    while (schedule.waiting < ENOUGH_PIECES) {
      const group = await groups.next();
      if (group.done === true) return true;
      const { start, pieces, bytes } = group.value;
      const data = await bytes;
      for (const { host, guest, length } of pieces) {
        const table = data.subarray(host - start, host - start + length);
        if (table.length < length) throw this.#image.failures.truncated();
        schedule.add(piecesLeft(this.#image.parseTable(table, guest), host, this.#from));
      }
    }
    return false;
  }

  async *#pieces(schedule: Schedule, guard: TableGuard, isLast: boolean): AsyncGenerator<Extent, void, void> {
    const { failures } = this.#image;
    const groups = readGroups({ ranges: this.#ranges, schedule, failures, check: (piece) => guard.check(piece) });
    for await (const { start, pieces, bytes } of groups) {
      const data = await bytes;
      for (const { host, guest, length, isWhole } of pieces) {
        const part = data.subarray(host - start, host - start + length);
        // While tables remain to be read, not all pieces before this offset are known.
        if (isLast) this.#position = Math.max(this.#position, Math.min(this.#inflater.host, host));
        if (isWhole) {
          while (!this.#inflater.startPiece(part, { host, guest, length })) yield* this.#inflater.takeFirst();
        } else if (this.#inflater.takesPlain(length)) {
          while (!this.#inflater.addPlain(part, host, guest)) yield* this.#inflater.takeFirst();
        } else {
          yield { offset: guest, data: part };
        }
      }
    }
    yield* this.#inflater.takeAll();
  }

  async #readWithin(offset: number, length: number): Promise<Buffer> {
    if (offset + length > this.#ranges.size) throw this.#image.failures.truncated();
    return this.#ranges.read(offset, length);
  }
}
