import type { TransferError } from './errors.ts';
import { formatDuration } from './format-duration.ts';

export type Stage = 'starting' | 'connecting' | 'copying' | 'converting' | 'unpacking' | 'zeroing' | 'syncing' | 'done';

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
  checkpoint?: string;
}

/** Called with every step of a transfer, for a log. */
export type StepListener = (step: string, details: Record<string, unknown>) => void;

const RATE_WINDOW = 5000;
/** How long a source may be silent before it is reported, in milliseconds. */
const ORDINARY_SILENCE = 5000;

/** Collects what the stages of one transfer report, and provides it to observers. */
export class Progress {
  bytesRead = 0;
  /** Bytes of the source that were skipped, because the target already has them. */
  bytesSkipped = 0;
  bytesTotal: number | undefined;
  bytesWritten = 0;
  /** What another process needs to resume from here, where an observer of the progress stores it. */
  checkpoint: string | undefined;
  #stage: Stage = 'starting';
  #retries = 0;
  #connections = 0;
  #failure: { message: string; retryAt: number } | undefined;
  #awaitedSince: number | undefined;
  #share: number | undefined;
  #samples: { at: number; bytesRead: number }[] = [];
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
    this.bytesRead += bytes;
    this.#failure = undefined;
    this.#awaitedSince = undefined;
    const now = performance.now();
    const last = this.#samples.at(-1);
    if (last !== undefined && now - last.at < 200) return;
    this.#samples.push({ at: now, bytesRead: this.bytesRead });
    while ((this.#samples[0]?.at ?? now) < now - RATE_WINDOW) this.#samples.shift();
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
    this.bytesSkipped = Math.max(0, position - this.bytesRead);
  }

  wrote(bytes: number): void {
    this.bytesWritten += bytes;
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
    this.bytesRead = 0;
    this.bytesSkipped = 0;
    this.bytesWritten = 0;
    this.#share = undefined;
    this.#samples = [];
  }

  snapshot(): ProgressSnapshot {
    const snapshot: ProgressSnapshot = {
      stage: this.#describeStage(),
      bytesRead: this.bytesRead,
      bytesSkipped: this.bytesSkipped,
      bytesWritten: this.bytesWritten,
      bytesPerSecond: this.#rate(),
      retries: this.#retries,
      connections: this.#connections,
    };
    const done = this.bytesRead + this.bytesSkipped;
    if (this.bytesTotal !== undefined) {
      snapshot.bytesTotal = Math.max(this.bytesTotal, done);
      const rate = snapshot.bytesPerSecond;
      if (rate > 0 && this.#share === undefined) snapshot.secondsLeft = Math.ceil((snapshot.bytesTotal - done) / rate);
    }
    const percent = this.#percent(done);
    if (percent !== undefined) snapshot.percent = percent;
    if (this.#failure !== undefined) snapshot.failure = this.#failure.message;
    if (this.checkpoint !== undefined) snapshot.checkpoint = this.checkpoint;
    return snapshot;
  }

  #describeStage(): string {
    const now = performance.now();
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
    if (this.bytesTotal === undefined || this.bytesTotal === 0) return undefined;
    return Math.min(100, (done / this.bytesTotal) * 100);
  }

  #rate(): number {
    const now = performance.now();
    const first = this.#samples[0];
    if (first === undefined || now - (this.#samples.at(-1)?.at ?? now) > RATE_WINDOW) return 0;
    const seconds = (now - first.at) / 1000;
    return seconds <= 0 ? 0 : Math.round((this.bytesRead - first.bytesRead) / seconds);
  }
}
