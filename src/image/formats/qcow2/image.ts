import type { MappedImage, ReadHead } from '../mapped/image.ts';
import { failures, HEADER_AREA, parseHeader } from './header.ts';
import { readL1 } from './l1-table.ts';
import { parseL2 } from './l2-table.ts';

/**
 * How far a cluster may precede its table, in bytes: compressed clusters begin in what the last one left of its host
 * cluster, even where their table had to be placed after that.
 */
const LONGEST_LEAD = 1024 * 1024;
const LEAD_CLUSTERS = 2;

/** @throws TransferError for images that are invalid, incomplete or need other files */
export async function openQcow2(readHead: ReadHead): Promise<MappedImage> {
  const header = parseHeader(await readHead(HEADER_AREA));
  const { size, clusterSize, compressionType } = header;
  return {
    size,
    lead: Math.max(LONGEST_LEAD, LEAD_CLUSTERS * clusterSize),
    dataStart: 0,
    compression: { codec: compressionType === 'zlib' ? 'raw' : 'zstd', blockSize: clusterSize },
    failures,
    readTables: (read) => readL1(header, read),
    parseTable: (table, guest) => parseL2(table, guest, header),
  };
}
