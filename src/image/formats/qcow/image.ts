import type { MappedImage, ReadAt, ReadHead } from '../mapped/image.ts';
import { type PieceRun, RunBuilder } from '../mapped/pieces.ts';
import { failures, HEADER_AREA, HEADER_LENGTH, L1_ENTRY, parseHeader, type QcowHeader } from './header.ts';

const { invalid } = failures;

const L2_ENTRY = 8;
const SECTOR = 512;
const TWO_32 = 2 ** 32;
/** The highest bit of an L2 entry, in its upper half. */
const COMPRESSED = 0x80000000;
/** Bytes of the L1 table in memory at once. */
const PART = 256 * 1024;

/**
 * @throws TransferError for images that are invalid, incomplete or need other files
 * @throws RandomAccessNeeded where the L1 table is too large to be read here
 */
export async function openQcow(readHead: ReadHead): Promise<MappedImage> {
  const header = parseHeader(await readHead(HEADER_AREA));
  const { size, clusterSize } = header;
  return {
    size,
    // QEMU appends everything to the file, including a table before the first cluster that it maps.
    lead: 0,
    dataStart: 0,
    compression: { codec: 'raw', blockSize: clusterSize },
    failures,
    readTables: (read) => readL1(header, read),
    parseTable: (table, guest) => parseL2(table, guest, header),
  };
}

async function readL1(header: QcowHeader, read: ReadAt): Promise<PieceRun> {
  const { clusterSize, clustersPerTable, l1TableOffset, l1Length } = header;
  const tables = new RunBuilder();
  for (let start = 0; start < l1Length; start += PART) {
    const part = await read(l1TableOffset + start, Math.min(PART, l1Length - start));
    for (let at = 0; at < part.length; at += L1_ENTRY) {
      const host = part.readUInt32BE(at) * TWO_32 + part.readUInt32BE(at + 4);
      if (host === 0) continue;
      checkPlace(host, header, 'an L2 table');
      const index = (start + at) / L1_ENTRY;
      tables.addWhole(host, index * clustersPerTable * clusterSize, clustersPerTable * L2_ENTRY);
    }
  }
  return tables.finish();
}

/** Parses the data that one L2 table maps. Clusters that were never written are left out. */
function parseL2(table: Buffer, guest: number, header: QcowHeader): PieceRun {
  const { clusterSize, clustersPerTable, size } = header;
  const entries = Math.min(clustersPerTable, Math.ceil((size - guest) / clusterSize));
  const pieces = new RunBuilder();
  for (let index = 0; index < entries; index += 1) {
    const [high, low] = [table.readUInt32BE(index * L2_ENTRY), table.readUInt32BE(index * L2_ENTRY + 4)];
    const place = guest + index * clusterSize;
    if (high >= COMPRESSED) addCompressed(pieces, high, low, place, header);
    else if (high !== 0 || low !== 0) addPlain(pieces, high * TWO_32 + low, place, header);
  }
  return pieces.finish();
}

function addPlain(pieces: RunBuilder, host: number, guest: number, header: QcowHeader): void {
  if (host % SECTOR !== 0) throw invalid('a cluster is not aligned');
  checkPlace(host, header, 'a cluster');
  pieces.addPlain(host, guest, Math.min(header.clusterSize, header.size - guest));
}

/**
 * Adds a compressed cluster: the highest bit is followed by cluster_bits of the length in bytes, and then by the
 * offset, which need not be aligned.
 */
function addCompressed(pieces: RunBuilder, high: number, low: number, guest: number, header: QcowHeader): void {
  const highOffsetBits = 31 - header.clusterBits;
  const host = (high & (2 ** highOffsetBits - 1)) * TWO_32 + low;
  const length = (high - COMPRESSED) >>> highOffsetBits;
  checkPlace(host, header, 'a compressed cluster');
  if (length === 0) throw invalid('a compressed cluster has no data');
  pieces.addWhole(host, guest, length);
}

/** Ensures that nothing else lies in the header or the L1 table. */
function checkPlace(host: number, { l1TableOffset, l1Length }: QcowHeader, what: string): void {
  if (!Number.isSafeInteger(host)) throw invalid(`${what} lies beyond any file`);
  if (host < HEADER_LENGTH) throw invalid(`${what} lies in its header`);
  if (host >= l1TableOffset && host < l1TableOffset + l1Length) throw invalid(`${what} lies in its L1 table`);
}
