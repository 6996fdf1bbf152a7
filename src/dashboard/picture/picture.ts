import type { Board } from '../board.ts';
import { type Row, type State, states } from '../rows/row.ts';
import { type Access, visibleTo } from './access.ts';
import { comparisonBy } from './order.ts';
import type { Query, SortKey } from './query.ts';

/** Rows of one page. */
export const PAGE_SIZE = 100;
/** Namespaces that a reader can choose from. */
const MOST_NAMESPACES = 500;

/** What a reader sees at one moment. */
export interface Picture {
  readonly query: Query;
  /** Those of one page. */
  readonly rows: readonly Row[];
  /** Rows that the query finds, over all pages. */
  readonly found: number;
  readonly page: number;
  readonly pages: number;
  /** Rows by state, of those that the query finds apart from its state. */
  readonly counts: Readonly<Record<State, number>>;
  /** Those with anything that the reader may see, in their order. */
  readonly namespaces: readonly string[];
}

/** Draws pictures of a board, and remembers what they have in common until that changes. */
export class Pictures {
  readonly #board: Board;
  readonly #sorted = new Map<SortKey, readonly Row[]>();
  #version = -1;

  constructor(board: Board) {
    this.#board = board;
  }

  draw(access: Access, query: Query): Picture {
    const counts: Record<State, number> = { failed: 0, waiting: 0, running: 0, done: 0 };
    const namespaces = new Set<string>();
    const matching: Row[] = [];
    const isWanted = wantedBy(query);
    for (const row of this.#sortedBy(query.sort)) {
      const visible = visibleTo(access, row);
      if (!visible) continue;
      namespaces.add(row.namespace);
      if (!isWanted(visible)) continue;
      counts[row.state] += 1;
      if (query.state === undefined || query.state === row.state) matching.push(visible);
    }
    if (query.order === 'desc') matching.reverse();
    const pages = Math.max(1, Math.ceil(matching.length / PAGE_SIZE));
    const page = Math.min(query.page, pages);
    return {
      query,
      rows: matching.slice((page - 1) * PAGE_SIZE, page * PAGE_SIZE),
      found: matching.length,
      page,
      pages,
      counts,
      namespaces: [...namespaces].sort().slice(0, MOST_NAMESPACES),
    };
  }

  #sortedBy(key: SortKey): readonly Row[] {
    if (this.#version !== this.#board.version) {
      this.#sorted.clear();
      this.#version = this.#board.version;
    }
    const known = this.#sorted.get(key);
    if (known) return known;
    const sorted = this.#board.rows().sort(comparisonBy(key));
    this.#sorted.set(key, sorted);
    return sorted;
  }
}

/** Everything of a query but its state, whose alternatives are counted. */
function wantedBy({ q, namespace, kind }: Query): (row: Row) => boolean {
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  return (row) => {
    if (namespace !== '' && row.namespace !== namespace) return false;
    if (kind !== undefined && row.kind !== kind) return false;
    if (words.length === 0) return true;
    const { reason = '', message = '' } = row.why ?? {};
    const text = [row.namespace, row.name, row.phase, row.source, reason, message, row.details?.strategy]
      .join(' ')
      .toLowerCase();
    return words.every((word) => text.includes(word));
  };
}

/** How many rows there are of all states. */
export const totalOf = (counts: Picture['counts']): number => states.reduce((sum, state) => sum + counts[state], 0);
