import { formatBytes } from '../../base/format-bytes.ts';
import { formatDuration } from '../../base/format-duration.ts';

/** The least that a source has to bring while it is waited for. */
export interface LowestRate {
  bytes: number;
  /** In milliseconds of waiting: what storage or decompression takes does not count. */
  within: number;
}

/** Bytes arrive, and so few that it would never end. */
export class TooSlow extends Error {
  override readonly name = 'TooSlow';
  readonly code = 'TOO_SLOW';

  constructor({ bytes, within }: LowestRate) {
    super(`fewer than ${formatBytes(bytes)} in ${formatDuration(within / 1000)}`);
  }
}
