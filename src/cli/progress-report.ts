import { formatBytes } from '../base/format-bytes.ts';
import { Progress } from '../base/progress.ts';
import { print, tell } from './output.ts';
import { describeProgress, ProgressBar } from './progress-bar.ts';

const JSON_INTERVAL_MILLISECONDS = 1000;
/**
 * Milliseconds between two lines where the output is not a terminal. They stay, and show that the transfer is alive.
 */
const LINE_INTERVAL_MILLISECONDS = 10_000;

/** Reports the progress of a transfer until it is stopped. */
export interface Following {
  stop(): void;
}

/**
 * Creates the progress of a transfer and reports it: as JSON lines, as a bar on a terminal, or otherwise as occasional
 * lines. Notes for the user get lines of their own.
 */
export function followProgress(json: boolean): { progress: Progress; following: Following } {
  if (json) {
    const progress = new Progress((step, details) => {
      print({ step, ...details });
    });
    const timer = setInterval(() => {
      print({ step: 'progress', ...progress.snapshot() });
    }, JSON_INTERVAL_MILLISECONDS);
    return { progress, following: { stop: () => clearInterval(timer) } };
  }
  const say = (line: string): void => {
    bar?.clear();
    tell(line);
  };
  const progress: Progress = new Progress((step, details) => {
    if (step === 'awaiting') say(`waiting: ${String(details['what'])}`);
    if (step === 'made') say(`made ${String(details['what'])} of ${String(details['size'])}`);
    if (step === 'resuming') say(`going on after ${formatBytes(Number(details['position']))}`);
    if (step === 'starting over') say(`starting over: ${String(details['why'])}`);
    if (step === 'restarting') say(`starting over: ${String(details['cause'])}`);
  });
  const bar = process.stderr.isTTY ? new ProgressBar(progress, process.stderr) : undefined;
  if (bar !== undefined) return { progress, following: bar };
  const timer = setInterval(() => say(describeProgress(progress.snapshot()).trim()), LINE_INTERVAL_MILLISECONDS);
  return { progress, following: { stop: () => clearInterval(timer) } };
}
