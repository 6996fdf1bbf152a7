import { formatBytes } from '../../base/format-bytes.ts';
import { formatDuration } from '../../base/format-duration.ts';

/** The minimum that a source has to deliver while it is waited for. */
export interface LowestRate {
  bytes: number;
  /** Milliseconds of waiting; time for storage or decompression does not count. */
  within: number;
}

/** Bytes arrive, but so slowly that the transfer would hardly ever end. */
export class TooSlow extends Error {
  override readonly name = 'TooSlow';
  readonly code = 'TOO_SLOW';

  constructor({ bytes, within }: LowestRate) {
    super(`fewer than ${formatBytes(bytes)} in ${formatDuration(within / 1000)}`);
  }
}
