import * as z from 'zod';
import { kinds, states } from '../rows/row.ts';

/** What rows can be sorted by; the first is what a reader gets who asks for nothing. */
export const sortKeys = ['relevance', 'kind', 'namespace', 'name', 'phase', 'progress', 'age'] as const;
export type SortKey = (typeof sortKeys)[number];

/** In characters; a name of Kubernetes has up to 253. */
const LONGEST_TEXT = 300;

const text = z.string().trim().max(LONGEST_TEXT).catch('');

/** What is not understood counts as not given: it comes from the address of the page. */
const fields = z.object({
  q: text,
  namespace: text,
  kind: z.enum(kinds).optional().catch(undefined),
  state: z.enum(states).optional().catch(undefined),
  sort: z.enum(sortKeys).catch('relevance'),
  order: z.enum(['asc', 'desc']).catch('asc'),
  page: z.coerce.number().int().min(1).max(1_000_000).catch(1),
});

/** What a reader asks for. */
export type Query = Readonly<z.infer<typeof fields>>;

/** Reads the query of an address. */
export function parseQuery(parameters: URLSearchParams): Query {
  return fields.parse({ q: '', namespace: '', ...Object.fromEntries(parameters) });
}

export const defaultQuery = parseQuery(new URLSearchParams());

/** Returns the address of a query, relative to that of the page. */
export function hrefOf(query: Query, changes: Partial<Query> = {}): string {
  const wanted: Query = { ...query, page: 1, ...changes };
  const parameters = new URLSearchParams();
  for (const name of Object.keys(fields.shape) as (keyof Query)[]) {
    const value = wanted[name];
    if (value !== undefined && value !== defaultQuery[name]) parameters.set(name, String(value));
  }
  return parameters.size === 0 ? './' : `./?${parameters.toString()}`;
}
