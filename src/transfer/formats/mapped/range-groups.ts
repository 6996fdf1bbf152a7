import type { RangeReader } from '../../source.ts';
import type { ImageFailures } from '../image-failures.ts';
import { LARGEST_PIECE } from './pieces.ts';
import type { Schedule } from './schedule.ts';

/** Shorter gaps are read along with what is around them. */
const SHORTEST_GAP = 64 * 1024;
const READS_AHEAD = 6;
/** Many places of a disk may share one of the file. */
const MOST_PIECES = 4096;

export interface PlacedPiece {
  host: number;
  guest: number;
  length: number;
  isWhole: boolean;
}

/** Pieces near each other, and the bytes of the file that they are in. */
export interface Group {
  start: number;
  pieces: PlacedPiece[];
  bytes: Promise<Buffer>;
}

export interface GroupOptions {
  ranges: RangeReader;
  schedule: Schedule;
  failures: ImageFailures;
  /** Told of each piece before it is read. */
  check?: (piece: PlacedPiece) => void;
}

/**
 * Takes pieces from a schedule, in the order of the file, and reads several groups of them ahead.
 *
 * @throws TransferError TruncatedImage for pieces behind the end of the file; what the reader throws
 */
export async function* readGroups(options: GroupOptions): AsyncGenerator<Group, void, void> {
  const ahead: Group[] = [];
  try {
    for (;;) {
      while (ahead.length < READS_AHEAD) {
        const group = nextGroup(options);
        if (group === undefined) break;
        ahead.push(group);
      }
      const first = ahead.shift();
      if (first === undefined) return;
      yield first;
    }
  } finally {
    await Promise.allSettled(ahead.map(({ bytes }) => bytes));
  }
}

function nextGroup({ ranges, schedule, failures, check }: GroupOptions): Group | undefined {
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
  const bytes = ranges.read(start, end - start);
  // Awaited in its turn; until then its failure must not count as unhandled.
  bytes.catch(() => {});
  return { start, pieces, bytes };
}
