import type { ByteReader } from '../../bytes.ts';
import { RandomAccessNeeded } from '../../errors.ts';
import type { DecodedDisk, Extent } from '../../extents.ts';
import { HEADER_LENGTH, parseHeader, truncated, type Header } from './header.ts';
import { inflateCluster } from './inflate.ts';
import { Schedule, parseL1, parseL2, type ClusterRun } from './tables.ts';

const L1_ENTRY = 8;
/** A table kept in memory as a whole; disks of 16 TiB with clusters of 64 KiB need a quarter of it. */
const LARGEST_L1 = 1024 * 1024;
/** Plain clusters that follow each other in both the file and the disk are passed on together. */
const LARGEST_EXTENT = 1024 * 1024;
/**
 * How far before its table a cluster may lie: compressed clusters begin in what the last one left of its host
 * cluster, even where their table had to be put behind that.
 */
const LONGEST_LEAD = 1024 * 1024;
const LEAD_CLUSTERS = 2;
const INFLATING_AT_ONCE = 8;
/** Where clusters are large, fewer of them are in memory at once. */
const INFLATING_BYTES = 8 * 1024 * 1024;

/**
 * Decodes a qcow2 image in one pass: as `qemu-img convert` writes images, each table comes before what it maps.
 *
 * @param from clusters that begin before this offset of the file are left out
 * @throws TransferError for images that are invalid, incomplete or need other files
 * @throws RandomAccessNeeded, now or among the extents, where something comes before the table that maps it
 */
export async function decodeQcow2(reader: ByteReader, from = 0): Promise<DecodedDisk> {
  const header = parseHeader(await reader.peek(HEADER_LENGTH));
  if (header.extendedL2) throw new RandomAccessNeeded('the qcow2 image has subclusters');
  if (header.l1Size * L1_ENTRY > LARGEST_L1) throw new RandomAccessNeeded('the qcow2 image has a very large L1 table');
  const disk: DecodedDisk = { format: 'qcow2', virtualSize: header.size, position: from, extents: located() };
  return disk;

  async function* located(): AsyncGenerator<Extent, void, void> {
    for await (const { host, extent } of extents(reader, header, from)) {
      // Clusters that share sectors begin as near as the next byte.
      disk.position = host + 1;
      yield extent;
    }
  }
}

/** An extent, and where the last cluster of it begins in the file. */
interface Located {
  host: number;
  extent: Extent;
}

async function* extents(reader: ByteReader, header: Header, from: number): AsyncGenerator<Located, void, void> {
  const inflating: Promise<Located>[] = [];
  const atOnce = Math.min(INFLATING_AT_ONCE, Math.max(1, Math.floor(INFLATING_BYTES / header.clusterSize)));
  const clusters = new Schedule();
  try {
    const tables = await readL1(reader, header);
    for (;;) {
      await readTables(reader, tables, clusters, header, from);
      const next = clusters.next;
      if (next === undefined) break;
      const { host, guest, length } = next;
      await goTo(reader, host);
      if (length > 0) {
        clusters.advance();
        // Compressed clusters share sectors: the next may begin within this one's last, so nothing is consumed.
        inflating.push(startInflating(Buffer.from(await reader.peek(length)), { host, guest, length }, header));
        const first = inflating.length < atOnce ? undefined : inflating.shift();
        if (first !== undefined) yield await first;
      } else {
        const size = takeContiguous(clusters, host, guest, header);
        // In the order of the file, so that a position has only what was passed on before it.
        yield* inOrder(inflating);
        const data = (await takeAll(reader, size)).subarray(0, header.size - guest);
        yield { host: host + size - header.clusterSize, extent: { offset: guest, data } };
      }
    }
    yield* inOrder(inflating);
    await reader.skip(Math.max(0, from - 1 - reader.position));
    await reader.drain();
  } finally {
    await Promise.allSettled(inflating);
  }
}

async function* inOrder(inflating: Promise<Located>[]): AsyncGenerator<Located, void, void> {
  for (let first = inflating.shift(); first !== undefined; first = inflating.shift()) yield await first;
}

async function readL1(reader: ByteReader, header: Header): Promise<ClusterRun> {
  const length = header.l1Size * L1_ENTRY;
  if (length > 0) await goTo(reader, header.l1TableOffset);
  return parseL1(await takeAll(reader, length), header);
}

/** Reads the tables that are so near that the next cluster may already be one of theirs. */
async function readTables(
  reader: ByteReader,
  tables: ClusterRun,
  clusters: Schedule,
  header: Header,
  from: number,
): Promise<void> {
  const { clusterSize } = header;
  while (tables.host < Infinity) {
    const cluster = clusters.next?.host ?? Infinity;
    const within = Math.max(LONGEST_LEAD, LEAD_CLUSTERS * clusterSize);
    const start = tables.host - within;
    if (cluster + LARGEST_EXTENT + clusterSize <= start) return;
    await goTo(reader, Math.max(reader.position, Math.min(start, cluster)));
    const distance = tables.host - reader.position;
    if (distance < 0) throw new RandomAccessNeeded('the qcow2 image has a table behind what it maps');
    const table = (await reader.peek(distance + clusterSize)).subarray(distance);
    if (table.length < clusterSize) throw truncated();
    clusters.add(parseL2(table, tables.guest, header).from(from));
    tables.advance();
  }
}

/** Passes over the plain clusters that lie behind each other from `host` and `guest` on; returns their length. */
function takeContiguous(clusters: Schedule, host: number, guest: number, header: Header): number {
  let size = 0;
  do {
    clusters.advance();
    size += header.clusterSize;
    const next = clusters.next;
    if (next === undefined || next.length > 0) break;
    if (next.host !== host + size || next.guest !== guest + size) break;
  } while (size + header.clusterSize <= LARGEST_EXTENT);
  return size;
}

function startInflating(
  compressed: Buffer,
  { host, guest, length }: { host: number; guest: number; length: number },
  header: Header,
): Promise<Located> {
  const inflated = inflateCluster(compressed, header).then(
    (data) => ({ host, extent: { offset: guest, data: data.subarray(0, header.size - guest) } }),
    (error: unknown) => {
      // The file's last sector need not be whole; when that is not enough, the file is incomplete rather than damaged.
      throw compressed.length < length ? truncated() : error;
    },
  );
  // Awaited in its turn; until then its failure must not count as unhandled.
  inflated.catch(() => {});
  return inflated;
}

async function goTo(reader: ByteReader, offset: number): Promise<void> {
  if (offset < reader.position) throw new RandomAccessNeeded('the qcow2 image has data before the table that maps it');
  const distance = offset - reader.position;
  if ((await reader.skip(distance)) < distance) throw truncated();
}

async function takeAll(reader: ByteReader, length: number): Promise<Buffer> {
  const bytes = await reader.take(length);
  if (bytes.length < length) throw truncated();
  return bytes;
}
