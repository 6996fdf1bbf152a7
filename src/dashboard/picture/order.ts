import { type Row, states } from '../rows/row.ts';
import type { SortKey } from './query.ts';

type Comparison = (one: Row, other: Row) => number;

const text =
  (of: (row: Row) => string): Comparison =>
  (one, other) =>
    of(one) < of(other) ? -1 : of(one) > of(other) ? 1 : 0;

const newestFirst: Comparison = (one, other) => other.created - one.created;
const byName = text(({ namespace, name, id }) => `${namespace}/${name}/${id}`);

const comparisons: Readonly<Record<SortKey, readonly Comparison[]>> = {
  relevance: [(one, other) => states.indexOf(one.state) - states.indexOf(other.state), newestFirst],
  kind: [text(({ kind }) => kind)],
  namespace: [text(({ namespace }) => namespace)],
  name: [text(({ name }) => name)],
  phase: [text(({ phase }) => phase)],
  progress: [(one, other) => progressOf(other) - progressOf(one)],
  age: [newestFirst],
};

/** Compares two rows; equal ones by their names, so that the order is always the same. */
export function comparisonBy(key: SortKey): Comparison {
  const all = [...comparisons[key], byName];
  return (one, other) => {
    for (const compare of all) {
      const result = compare(one, other);
      if (result !== 0) return result;
    }
    return 0;
  };
}

function progressOf({ percent, state }: Row): number {
  return percent ?? (state === 'done' ? 100 : -1);
}
