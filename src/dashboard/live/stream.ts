import type { ServerResponse } from 'node:http';
import type { Access } from '../picture/access.ts';
import type { Picture } from '../picture/picture.ts';
import type { Query } from '../picture/query.ts';
import { regions } from '../view/regions.ts';
import { elementId, rowMarkup } from '../view/row.ts';

/** Milliseconds after which a reader that has not taken what was sent is left. */
const PATIENCE_MILLISECONDS = 60_000;

/** The rendered parts of a picture, by the identifiers of their elements. */
export interface Rendered {
  readonly regions: ReadonlyMap<string, string>;
  readonly rows: ReadonlyMap<string, string>;
  readonly counts: Picture['counts'];
}

/** @param now in milliseconds since the epoch */
export function render(picture: Picture, now: number): Rendered {
  return {
    regions: new Map(Object.entries(regions).map(([id, markup]) => [id, markup(picture).text])),
    rows: new Map(picture.rows.map((row) => [elementId(row), rowMarkup(row, now).text])),
    counts: picture.counts,
  };
}

/** One reader that is told what changes on its page, as server-sent events (the HTML Standard's). */
export class Stream {
  readonly query: Query;
  readonly readerId: string;
  access: Access;
  readonly #response: ServerResponse;
  #sent: Rendered = { regions: new Map(), rows: new Map(), counts: { failed: 0, waiting: 0, running: 0, done: 0 } };
  #blockedSince: number | undefined;

  /** @param onDrain called when the reader has taken what was sent, after it did not for a while */
  constructor(
    response: ServerResponse,
    reader: { readonly id: string; readonly access: Access },
    query: Query,
    onDrain: () => void,
  ) {
    this.#response = response;
    this.readerId = reader.id;
    this.access = reader.access;
    this.query = query;
    response.on('drain', () => {
      this.#blockedSince = undefined;
      onDrain();
    });
  }

  /** Whether the reader has yet to take what was sent. What changes meanwhile is sent at once, later. */
  get isBlocked(): boolean {
    return this.#blockedSince !== undefined;
  }

  /** Sends what differs from what was sent last, if anything does. */
  show(rendered: Rendered): void {
    const differing = (now: ReadonlyMap<string, string>, before: ReadonlyMap<string, string>) =>
      [...now].filter(([id, markup]) => before.get(id) !== markup);
    const changedRegions = differing(rendered.regions, this.#sent.regions);
    const changedRows = differing(rendered.rows, this.#sent.rows);
    const order = [...rendered.rows.keys()];
    const isReordered = order.join('\n') !== [...this.#sent.rows.keys()].join('\n');
    this.#sent = rendered;
    if (changedRegions.length === 0 && changedRows.length === 0 && !isReordered) return;
    const message = {
      regions: Object.fromEntries(changedRegions),
      rows: Object.fromEntries(changedRows),
      order,
      counts: rendered.counts,
    };
    this.#write(`event: change\ndata: ${JSON.stringify(message)}\n\n`);
  }

  /** Keeps the connection in use; leaves a reader that has taken nothing for too long. */
  beat(): void {
    if (this.#blockedSince === undefined) this.#write(': \n\n');
    else if (performance.now() - this.#blockedSince > PATIENCE_MILLISECONDS) this.#response.destroy();
  }

  /** Ends it; the reader's browser asks for another one. */
  end(): void {
    this.#response.end();
  }

  #write(text: string): void {
    if (!this.#response.write(text)) this.#blockedSince ??= performance.now();
  }
}
