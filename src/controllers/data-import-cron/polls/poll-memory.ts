import type { KnownVersion } from '../../image-polls/image-poller.ts';

/** What came of the looks at one source since the controllers were started. */
export interface PollOutcome {
  readonly known?: KnownVersion | undefined;
  /** Consecutive failures. */
  readonly failures: number;
  /** Message of the last look, where it failed. */
  readonly error?: string | undefined;
  /** When the last look began, in milliseconds since the epoch. */
  readonly at: number;
}

/** What came of the looks at each source, by uid of the DataImportCron. */
export type PollMemory = Map<string, PollOutcome>;
