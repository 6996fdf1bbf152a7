import { MemoryPool } from '../../../base/memory-pool.ts';
import type { RangeReader } from '../../../base/source.ts';
import type { ImageFailures } from '../image-failures.ts';
import { LARGEST_PIECE } from './pieces.ts';
import type { Schedule } from './schedule.ts';

/** Shorter gaps are read together with the pieces around them. In bytes. */
const SHORTEST_GAP = 64 * 1024;
const READS_AHEAD = 6;
/**
 * Memory of the groups that are read ahead and the one that is lent, in bytes. The largest piece, a compressed cluster
 * that claims twice its size, takes half of it.
 */
const MEMORY = 8 * 1024 * 1024;
/** Most pieces of a group: many places of a disk may share one of the file. */
const MOST_PIECES = 4096;

export interface PlacedPiece {
  host: number;
  guest: number;
  length: number;
  isWhole: boolean;
}

/** Nearby pieces, and the bytes of the file that contain them, which are lent until the next group is requested. */
export interface Group {
  start: number;
  pieces: PlacedPiece[];
  bytes: Promise<Buffer>;
}

type UnreadGroup = Omit<Group, 'bytes'> & { length: number };

interface ReadGroup extends Group {
  memory: ArrayBuffer;
}

export interface GroupOptions {
  ranges: RangeReader;
  schedule: Schedule;
  failures: ImageFailures;
  /** Called with each piece before it is read. */
  check?: (piece: PlacedPiece) => void;
  /** Memory that groups are read into. It is closed at the end. */
  memory?: MemoryPool;
}

/**
 * Takes pieces from a schedule, in the order of the file, and reads several groups of them ahead.
 *
 * @throws TransferError TruncatedImage for pieces after the end of the file; errors of the reader
 */
export async function* readGroups(options: GroupOptions): AsyncGenerator<Group, void, void> {
  const { memory = new MemoryPool(MEMORY, LARGEST_PIECE) } = options;
  const ahead: ReadGroup[] = [];
  let lent: ReadGroup | undefined;
  let unread: UnreadGroup | undefined;
  try {
    for (;;) {
      while (ahead.length < READS_AHEAD) {
        unread ??= nextGroup(options);
        const room = unread && memory.take(unread.length);
        if (unread === undefined || room === undefined) break;
        ahead.push(readGroup(unread, options.ranges, room));
        unread = undefined;
      }
      lent = ahead.shift();
      if (lent === undefined) return;
      yield lent;
      memory.giveBack(lent.memory);
      lent = undefined;
    }
  } finally {
    const left = lent === undefined ? ahead : [lent, ...ahead];
    // No read may still be using memory that is freed.
    await Promise.allSettled(left.map(({ bytes }) => bytes));
    for (const group of left) memory.giveBack(group.memory);
    memory.close();
  }
}

function readGroup({ start, pieces, length }: UnreadGroup, ranges: RangeReader, memory: ArrayBuffer): ReadGroup {
  const bytes = ranges.read(start, length, Buffer.from(memory, 0, length));
  // Awaited in its turn; until then its failure must not count as unhandled.
  bytes.catch(() => {});
  return { start, pieces, bytes, memory };
}

function nextGroup({ ranges, schedule, failures, check }: GroupOptions): UnreadGroup | undefined {
  const pieces: PlacedPiece[] = [];
  let start = 0;
  let end = 0;
  for (let { next } = schedule; next !== undefined && pieces.length < MOST_PIECES; { next } = schedule) {
    const { host, guest, length, isWhole } = next;
    const pieceEnd = Math.min(host + length, ranges.size);
    if (host >= ranges.size || (!isWhole && pieceEnd < host + length)) throw failures.truncated();
    if (pieces.length === 0) start = host;
    else if (host - end > SHORTEST_GAP || Math.max(end, pieceEnd) - start > LARGEST_PIECE) break;
    check?.(next);
    pieces.push({ host, guest, length, isWhole });
    end = Math.max(end, pieceEnd);
    schedule.advance();
  }
  if (pieces.length === 0) return undefined;
  return { start, pieces, length: end - start };
}
