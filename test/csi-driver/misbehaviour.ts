import { status } from '@grpc/grpc-js';
import type { BlockRange } from './block-ranges.ts';
import { failedPrecondition, StatusError } from './status-error.ts';

/** What a class of snapshots can ask the driver to do wrong where it tells of their blocks. */
export const misbehaviours = ['refuse', 'break', 'cut', 'overlap', 'beyond', 'capacity', 'omit'] as const;
export type Misbehaviour = (typeof misbehaviours)[number];

/** What the driver tells of a snapshot. */
export interface Told {
  readonly capacity: number;
  readonly ranges: readonly BlockRange[];
  /** Ranges after which the stream breaks; by default it does not. */
  readonly breaksAfter?: number;
}

/**
 * Makes something wrong of an answer:
 * - `refuse`: there is none
 * - `break`: it breaks before its first range, always
 * - `cut`: it breaks after each range, so that it has to be continued
 * - `overlap`, `beyond`: ranges overlap, or are beyond the end
 * - `capacity`: the volume has another size
 * - `omit`: its longest range is left out, as if it were zeros
 */
export function misbehave(misbehaviour: Misbehaviour | undefined, told: Told): Told {
  const { capacity, ranges } = told;
  switch (misbehaviour) {
    case undefined:
      return told;
    case 'refuse':
      throw failedPrecondition('the class of the snapshot refuses to tell of its blocks');
    case 'break':
      return { ...told, breaksAfter: 0 };
    case 'cut':
      return { ...told, breaksAfter: 1 };
    case 'overlap':
      return { ...told, ranges: ranges.flatMap((range) => [range, range]) };
    case 'beyond':
      return { ...told, ranges: [...ranges, { offset: capacity, length: 4096 }] };
    case 'capacity':
      return { ...told, capacity: 2 * capacity };
    case 'omit': {
      const longest = ranges.reduce((sum, { length }) => Math.max(sum, length), 0);
      return { ...told, ranges: ranges.filter(({ length }) => length < longest) };
    }
  }
}

/** What a stream breaks with. */
export function broken(): StatusError {
  return new StatusError(status.UNAVAILABLE, 'the class of the snapshot breaks the stream');
}
