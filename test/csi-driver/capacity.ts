import { filesystemOf } from './filesystems.ts';
import type { CapacityRange } from './messages.ts';
import type { ContentFormat } from './records.ts';
import { invalidArgument, outOfRange } from './status-error.ts';

const DEFAULT_BYTES = 1024 ** 3;
/** Sizes are multiples of this, so that a loop device shows all of its file. */
const GRANULARITY_BYTES = 4096;

interface CapacityLimits {
  /** Bytes below which it cannot go: what the source needs. */
  readonly atLeast?: number;
  /** Bytes of which it is a multiple. */
  readonly roundUpBytes?: number;
}

/**
 * The capacity to make for a request.
 *
 * @throws StatusError OUT_OF_RANGE, or INVALID_ARGUMENT for a range that makes no sense
 */
export function chooseCapacity(
  range: CapacityRange | null,
  format: ContentFormat,
  { atLeast = 0, roundUpBytes = GRANULARITY_BYTES }: CapacityLimits = {},
): number {
  const required = range?.required_bytes ?? 0;
  const limit = range?.limit_bytes ?? 0;
  if (required < 0 || limit < 0) {
    throw invalidArgument('capacity_range must not be negative');
  }
  if (required !== 0 && required < atLeast) {
    throw outOfRange(`capacity_range.required_bytes ${required} is less than the ${atLeast} of the source`);
  }
  const wanted = required || atLeast || Math.min(DEFAULT_BYTES, limit || DEFAULT_BYTES);
  const smallest = filesystemOf(format)?.smallest ?? 0;
  const granularity = Math.ceil(Math.max(roundUpBytes, 1) / GRANULARITY_BYTES) * GRANULARITY_BYTES;
  const capacity = Math.ceil(Math.max(wanted, smallest) / granularity) * granularity;
  if (limit !== 0 && capacity > limit) {
    throw outOfRange(`capacity_range.limit_bytes ${limit} is less than ${capacity}`);
  }
  return capacity;
}

/** Whether a volume that exists already is what a request asks for. */
export function satisfies(range: CapacityRange | null, capacity: number): boolean {
  return capacity >= (range?.required_bytes ?? 0) && (!range?.limit_bytes || capacity <= range.limit_bytes);
}
