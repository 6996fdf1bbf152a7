import { formatBytes } from '../base/format-bytes.ts';
import { formatDuration } from '../base/format-duration.ts';
import { printableLine } from '../base/printable.ts';
import type { Progress, ProgressSnapshot } from '../base/progress.ts';

const REDRAW_INTERVAL_MILLISECONDS = 200;
const BAR_WIDTH = 30;

/** Renders the progress of a transfer as one line. */
export function renderProgress(snapshot: ProgressSnapshot): string {
  const text = describeProgress(snapshot);
  const { percent } = snapshot;
  if (percent === undefined) return text;
  const filled = Math.floor((percent / 100) * BAR_WIDTH);
  return `[${'#'.repeat(filled)}${'-'.repeat(BAR_WIDTH - filled)}] ${text}`;
}

/** Describes the progress of a transfer: bytes, rate, remaining time, and current stage. */
export function describeProgress(snapshot: ProgressSnapshot): string {
  const { stage, bytesTotal, bytesPerSecond, percent, secondsLeft, connections } = snapshot;
  const parts: string[] = [];
  if (percent !== undefined) parts.push(`${percent.toFixed(1).padStart(5)} %`);
  const done = snapshot.bytesRead + snapshot.bytesSkipped;
  parts.push(formatBytes(done) + (bytesTotal === undefined ? '' : ` of ${formatBytes(bytesTotal)}`));
  if (bytesPerSecond > 0) parts.push(`${formatBytes(bytesPerSecond)}/s`);
  if (secondsLeft !== undefined && secondsLeft > 0) parts.push(`${formatDuration(secondsLeft)} to go`);
  if (connections > 1) parts.push(`${connections} connections`);
  parts.push(stage);
  return parts.join('  ');
}

/** Draws the progress on a terminal until it is stopped. */
export class ProgressBar {
  readonly #progress: Progress;
  readonly #output: NodeJS.WriteStream;
  readonly #timer: NodeJS.Timeout;

  constructor(progress: Progress, output: NodeJS.WriteStream) {
    this.#progress = progress;
    this.#output = output;
    this.#timer = setInterval(() => {
      this.#draw();
    }, REDRAW_INTERVAL_MILLISECONDS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#draw();
    this.#output.write('\n');
  }

  /** Clears the line, so that another one can be written. */
  clear(): void {
    this.#output.write('\r\x1b[2K');
  }

  #draw(): void {
    const width = this.#output.columns;
    this.#output.write(`\r\x1b[2K${printableLine(renderProgress(this.#progress.snapshot())).slice(0, width - 1)}`);
  }
}
