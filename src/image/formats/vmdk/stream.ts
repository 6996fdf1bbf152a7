import type { ByteReader } from '../../../base/bytes.ts';
import type { DecodedDisk, Extent } from '../../../base/extents.ts';
import { BlockInflater } from '../block-inflater.ts';
import { GrainDigest } from './grain-digest.ts';
import { addTable, ENTRY, readTablesAhead, tableCount } from './grain-tables.ts';
import { failures, HEADER_LENGTH, parseHeader, SECTOR, type SparseHeader } from './header.ts';

const { invalid, truncated } = failures;
const MARKER_LENGTH = 12;
const marker = { endOfStream: 0, grainTable: 1, grainDirectory: 2, footer: 3 };

/**
 * Decodes a streamOptimized VMDK: compressed grains, each with a marker that has its place on the disk.
 *
 * @param reader at the start of the image
 * @param header of an image that is compressed
 * @throws RandomAccessNeeded, now or among the extents, for VMDKs of other kinds
 */
export function decodeStreamOptimized(reader: ByteReader, header: SparseHeader): DecodedDisk {
  if (!header.hasMarkers) throw failures.needsRandomAccess('is not streamOptimized');
  return { format: 'vmdk', virtualSize: header.capacity, extents: new VmdkStream(reader, header).extents() };
}

class VmdkStream {
  readonly #reader: ByteReader;
  readonly #header: SparseHeader;
  readonly #inflater: BlockInflater;
  readonly #grains = new GrainDigest();
  /** Digest of the grain tables that follow their grains, compared with the directory. */
  readonly #tables = new GrainDigest();
  readonly #directory = new GrainDigest();
  #listed = new GrainDigest();
  /** The table that the grains since the last one belong to. */
  #table: number | undefined;
  #directoryOffset: number | undefined;
  #hasFooter = false;

  constructor(reader: ByteReader, header: SparseHeader) {
    this.#reader = reader;
    this.#header = header;
    this.#inflater = new BlockInflater({
      codec: 'zlib',
      blockSize: header.grainSize,
      diskSize: header.capacity,
      failure: () => invalid('a compressed grain is damaged'),
    });
  }

  async *extents(): AsyncGenerator<Extent, void, void> {
    const { grainDirectoryOffset, overhead } = this.#header;
    try {
      if (grainDirectoryOffset !== undefined) {
        this.#listed = await readTablesAhead(this.#header, grainDirectoryOffset, (at, length) =>
          this.#takeAt(at, length),
        );
      }
      await this.#goTo(Math.max(HEADER_LENGTH, overhead));
      yield* this.#grainsAndMarkers(grainDirectoryOffset !== undefined);
      yield* this.#inflater.takeAll();
      if (grainDirectoryOffset === undefined) this.#checkDirectory();
      this.#checkGrains();
      await this.#reader.drain();
    } finally {
      this.#inflater.close();
    }
  }

  /** @param mayEnd whether the file may end without an end marker */
  async *#grainsAndMarkers(mayEnd: boolean): AsyncGenerator<Extent, void, void> {
    for (;;) {
      const head = await this.#reader.peek(MARKER_LENGTH);
      if (head.length === 0 && mayEnd) return;
      if (head.length < MARKER_LENGTH) throw truncated();
      const value = Number(head.readBigUInt64LE(0));
      const size = head.readUInt32LE(8);
      if (size > 0) {
        const { position } = this.#reader;
        const grain = await this.#peekGrain(value, size);
        while (!this.#inflater.start(grain, position, value * SECTOR)) yield* this.#inflater.takeFirst();
        // Only padding may be missing from the last sector.
        await this.#reader.skip(Math.ceil((MARKER_LENGTH + size) / SECTOR) * SECTOR);
      } else if (!(await this.#takeMarker(value))) {
        return;
      }
    }
  }

  async #peekGrain(lba: number, size: number): Promise<Buffer> {
    const { grainSize, capacity, entriesPerGrainTable } = this.#header;
    const offset = lba * SECTOR;
    if (offset % grainSize !== 0 || !(offset < capacity)) throw invalid('a grain belongs to no place of the disk');
    if (size > 2 * grainSize) throw invalid('a compressed grain is larger than it would be without compression');
    const index = offset / grainSize;
    const table = Math.floor(index / entriesPerGrainTable);
    this.#grains.add(index, this.#reader.position / SECTOR);
    if (this.#header.grainDirectoryOffset === undefined) {
      this.#table ??= table;
      if (this.#table !== table) throw failures.needsRandomAccess('has its grain tables at unusual places');
    }
    const length = MARKER_LENGTH + size;
    const bytes = await this.#reader.peek(length);
    if (bytes.length < length) throw truncated();
    return bytes.subarray(MARKER_LENGTH);
  }

  /** @returns false at the end of the stream */
  async #takeMarker(sectors: number): Promise<boolean> {
    const block = await this.#takeAt(this.#reader.position, SECTOR);
    const type = block.readUInt32LE(MARKER_LENGTH);
    if (type === marker.endOfStream) return false;
    const length = sectors * SECTOR;
    if (!Number.isSafeInteger(length)) throw invalid('a marker is damaged');
    const end = this.#reader.position + length;
    if (type === marker.grainTable) await this.#takeTable(length);
    if (type === marker.grainDirectory) await this.#takeDirectory(length);
    if (type === marker.footer) await this.#takeFooter(length);
    await this.#goTo(end);
    return true;
  }

  async #takeTable(length: number): Promise<void> {
    const { entriesPerGrainTable: entries, grainDirectoryOffset } = this.#header;
    const table = this.#table;
    this.#table = undefined;
    if (grainDirectoryOffset !== undefined || table === undefined) return;
    if (length < entries * ENTRY) throw invalid('a grain table is too short');
    this.#tables.add(table, this.#reader.position / SECTOR);
    addTable(this.#listed, await this.#takeAt(this.#reader.position, entries * ENTRY), table, entries);
  }

  async #takeDirectory(length: number): Promise<void> {
    const count = tableCount(this.#header);
    if (length < count * ENTRY) throw invalid('the grain directory is too short');
    this.#directoryOffset = this.#reader.position;
    for (let index = 0; index < count;) {
      const part = await this.#reader.takeSome(Math.min(count - index, SECTOR / ENTRY) * ENTRY);
      if (part.length % ENTRY !== 0 || part.length === 0) throw truncated();
      for (let at = 0; at < part.length; at += ENTRY, index += 1) {
        const sector = part.readUInt32LE(at);
        if (sector !== 0) this.#directory.add(index, sector);
      }
    }
  }

  async #takeFooter(length: number): Promise<void> {
    if (length < HEADER_LENGTH) throw invalid('the footer is too short');
    const footer = parseHeader(await this.#takeAt(this.#reader.position, HEADER_LENGTH));
    const { capacity, grainSize, entriesPerGrainTable } = this.#header;
    const agrees =
      footer.capacity === capacity &&
      footer.grainSize === grainSize &&
      footer.entriesPerGrainTable === entriesPerGrainTable &&
      footer.grainDirectoryOffset === this.#directoryOffset;
    if (!agrees) throw invalid('its footer contradicts its header');
    this.#hasFooter = true;
  }

  /** Checks the directory. Tables without grains may be missing, and existing ones may be listed. */
  #checkDirectory(): void {
    if (!this.#hasFooter) throw truncated();
    if (this.#directory.count < this.#tables.count) throw invalid('its grain directory lacks a grain table');
    if (this.#directory.count === this.#tables.count && !this.#directory.equals(this.#tables)) {
      throw invalid('its grain directory does not agree with its grain tables');
    }
  }

  #checkGrains(): void {
    if (this.#grains.count < this.#listed.count) throw truncated();
    if (!this.#grains.equals(this.#listed)) throw invalid('its grain tables do not agree with its grains');
  }

  async #takeAt(offset: number, length: number): Promise<Buffer> {
    await this.#goTo(offset);
    const bytes = await this.#reader.take(length);
    if (bytes.length < length) throw truncated();
    return bytes;
  }

  async #goTo(offset: number): Promise<void> {
    const distance = offset - this.#reader.position;
    if (distance < 0) throw failures.needsRandomAccess('has its grain tables at unusual places');
    if ((await this.#reader.skip(distance)) < distance) throw truncated();
  }
}
