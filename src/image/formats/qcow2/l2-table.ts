import { type PieceRun, RunBuilder } from '../mapped/pieces.ts';
import { failures, type Header } from './header.ts';
import { checkPlace, readPlace } from './place.ts';

const ENTRY = 8;
const EXTENDED_ENTRY = 16;
const COMPRESSED = 0x40000000;
const COMPRESSED_SECTOR = 512;
const ALL_ZEROS = 1;
const SUBCLUSTERS = 32;
const TWO_32 = 2 ** 32;

/**
 * Parses the data that one L2 table maps. Clusters that read as zeros are left out.
 *
 * @param guest offset on the disk of the first cluster that the table maps
 * @throws TransferError InvalidImage
 */
export function parseL2(table: Buffer, guest: number, header: Header): PieceRun {
  const { clusterSize, clustersPerTable, size, extendedL2 } = header;
  const entryLength = extendedL2 ? EXTENDED_ENTRY : ENTRY;
  const entries = Math.min(clustersPerTable, Math.ceil((size - guest) / clusterSize));
  const pieces = new RunBuilder();
  for (let index = 0; index < entries; index += 1) {
    const at = index * entryLength;
    const place = guest + index * clusterSize;
    if ((table.readUInt32BE(at) & COMPRESSED) !== 0) addCompressed(pieces, table, at, place, header);
    else if (extendedL2) addSubclusters(pieces, table, at, place, header);
    else addCluster(pieces, table, at, place, header);
  }
  return pieces.finish();
}

function addCluster(pieces: RunBuilder, table: Buffer, at: number, guest: number, header: Header): void {
  if ((table.readUInt32BE(at + 4) & ALL_ZEROS) !== 0) {
    if (header.version === 2) throw failures.invalid('a cluster is marked as zeros, which version 2 does not know');
    return;
  }
  const host = readPlace(table, at, header, 'a cluster');
  if (host !== 0) pieces.addPlain(host, guest, Math.min(header.clusterSize, header.size - guest));
}

/**
 * Adds a compressed cluster. Compressed Clusters Descriptor: x bits of offset, then the count of further sectors, x =
 * 62 - (cluster_bits - 8).
 */
function addCompressed(pieces: RunBuilder, table: Buffer, at: number, guest: number, header: Header): void {
  const high = table.readUInt32BE(at);
  const lowOffsetBits = 62 - (header.clusterBits - 8) - 32;
  const host = (high & (2 ** lowOffsetBits - 1)) * TWO_32 + table.readUInt32BE(at + 4);
  const sectors = ((high & (COMPRESSED - 1)) >>> lowOffsetBits) + 1;
  checkPlace(host, header, 'a compressed cluster');
  pieces.addWhole(host, guest, sectors * COMPRESSED_SECTOR - (host % COMPRESSED_SECTOR));
}

/**
 * Adds the subclusters of an extended L2 entry: a bitmap of those that are allocated, and in the upper half one of
 * those that are zeros.
 */
function addSubclusters(pieces: RunBuilder, table: Buffer, at: number, guest: number, header: Header): void {
  const zeros = table.readUInt32BE(at + ENTRY);
  const allocated = table.readUInt32BE(at + ENTRY + 4);
  if ((zeros & allocated) !== 0) throw failures.invalid('a subcluster is marked as both data and zeros');
  const host = readPlace(table, at, header, 'a cluster');
  if (allocated === 0) return;
  if (host === 0) throw failures.invalid('subclusters are marked as data of a cluster that is nowhere');
  const length = header.clusterSize / SUBCLUSTERS;
  for (let index = 0; index < SUBCLUSTERS; index += 1) {
    const start = index * length;
    if ((allocated & (1 << index)) === 0 || guest + start >= header.size) continue;
    pieces.addPlain(host + start, guest + start, Math.min(length, header.size - guest - start));
  }
}
