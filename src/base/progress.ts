import type { TransferError } from './errors.ts';
import { formatDuration } from './format-duration.ts';
import { TransferCounters } from './transfer-counters.ts';

export type Stage =
  | 'starting'
  | 'connecting'
  | 'copying'
  | 'converting'
  | 'unpacking'
  | 'zeroing'
  | 'syncing'
  /** Of a client: what was sent before is read again, to show that it is the same. */
  | 'comparing'
  | 'uploading'
  | 'done';

/** The state of a transfer. Sizes are in bytes. */
export interface ProgressSnapshot {
  stage: string;
  /** Bytes that this process has read from the source. */
  bytesRead: number;
  /** Bytes of the source that were skipped, because an earlier process had already written them to the target. */
  bytesSkipped: number;
  /** Bytes that will have been read or skipped at the end. */
  bytesTotal?: number;
  bytesWritten: number;
  bytesPerSecond: number;
  /** Progress from 0 to 100. */
  percent?: number;
  /** Seconds until everything is read, at the present rate. */
  secondsLeft?: number;
  retries: number;
  /** Connections that deliver bytes at the moment. */
  connections: number;
  failure?: string;
}

/** Called with every step of a transfer, for a log. */
export type StepListener = (step: string, details: Record<string, unknown>) => void;

/** How long a source may be silent before it is reported, in milliseconds. */
const ORDINARY_SILENCE = 5000;

/** Collects what the stages of one transfer report, and provides it to observers. */
export class Progress {
  readonly counters = new TransferCounters();
  #stage: Stage = 'starting';
  #retries = 0;
  #connections = 0;
  #failure: { message: string; retryAt: number } | undefined;
  #awaitedSince: number | undefined;
  #waitingFor: string | undefined;
  #share: number | undefined;
  readonly #listener: StepListener | undefined;

  constructor(listener?: StepListener) {
    this.#listener = listener;
  }

  /** Sets the current stage. */
  enter(stage: Stage, details: Record<string, unknown> = {}): void {
    this.#awaitedSince = undefined;
    if (stage === this.#stage) return;
    this.#stage = stage;
    this.#listener?.(stage, details);
  }

  /** Reports something worth a log line that is not a stage of its own. */
  note(step: string, details: Record<string, unknown>): void {
    this.#listener?.(step, details);
  }

  read(bytes: number): void {
    this.counters.read(bytes);
    this.#failure = undefined;
    this.#awaitedSince = undefined;
  }

  /** Reports that nothing can come until something happens elsewhere, in place of the stage; undefined once it has. */
  waitFor(event: string | undefined): void {
    this.#waitingFor = event;
  }

  /** Reports that the transfer is idle until the source sends more. */
  awaiting(): void {
    this.#awaitedSince ??= performance.now();
  }

  /**
   * Reports that everything before this offset of the source is on the target already. What was not read of it will not
   * be.
   */
  skip(position: number): void {
    this.counters.skip(position);
  }

  wrote(bytes: number): void {
    this.counters.bytesWritten += bytes;
  }

  /** Sets the share of the work that is done, 0–1, where the bytes read do not tell. */
  completed(share: number): void {
    this.#share = Math.min(1, Math.max(0, share));
  }

  /** Reports a passing failure, and in how many milliseconds it is retried. */
  failed(error: TransferError, retryIn: number): void {
    this.#retries += 1;
    this.#failure = { message: error.message, retryAt: performance.now() + retryIn };
    this.#listener?.('retrying', {
      code: error.code,
      failure: error.message,
      retryInMilliseconds: Math.round(retryIn),
    });
  }

  /** Reports that the last passing failure has been overcome. */
  recovered(): void {
    this.#failure = undefined;
  }

  /** Counts connections that deliver bytes. */
  connected(change: 1 | -1): void {
    this.#connections += change;
  }

  /** Reports that the transfer restarts from the first byte. */
  restart(): void {
    this.counters.restart();
    this.#share = undefined;
  }

  snapshot(): ProgressSnapshot {
    const { bytesRead, bytesSkipped, bytesTotal, bytesWritten, bytesPerSecond } = this.counters;
    const snapshot: ProgressSnapshot = {
      stage: this.#describeStage(),
      bytesRead,
      bytesSkipped,
      bytesWritten,
      bytesPerSecond,
      retries: this.#retries,
      connections: this.#connections,
    };
    const done = bytesRead + bytesSkipped;
    if (bytesTotal !== undefined) {
      snapshot.bytesTotal = Math.max(bytesTotal, done);
      const left = snapshot.bytesTotal - done;
      if (bytesPerSecond > 0 && this.#share === undefined) snapshot.secondsLeft = Math.ceil(left / bytesPerSecond);
    }
    const percent = this.#percent(done);
    if (percent !== undefined) snapshot.percent = percent;
    if (this.#failure !== undefined) snapshot.failure = this.#failure.message;
    return snapshot;
  }

  #describeStage(): string {
    const now = performance.now();
    if (this.#waitingFor !== undefined) return `waiting for ${this.#waitingFor}`;
    if (this.#failure !== undefined) {
      const { message, retryAt } = this.#failure;
      const seconds = Math.ceil((retryAt - now) / 1000);
      return seconds > 0 ? `retrying in ${seconds} s: ${message}` : `trying again: ${message}`;
    }
    const silence = now - (this.#awaitedSince ?? now);
    if (silence < ORDINARY_SILENCE) return this.#stage;
    return `${this.#stage}, nothing has come from the source for ${formatDuration(silence / 1000)}`;
  }

  #percent(done: number): number | undefined {
    if (this.#stage === 'done') return 100;
    if (this.#share !== undefined) return this.#share * 100;
    const { bytesTotal } = this.counters;
    if (bytesTotal === undefined || bytesTotal === 0) return undefined;
    return Math.min(100, (done / bytesTotal) * 100);
  }
}
