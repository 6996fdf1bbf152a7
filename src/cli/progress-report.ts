import { formatBytes } from '../base/format-bytes.ts';
import { Progress } from '../base/progress.ts';
import { print, tell } from './output.ts';
import { ProgressBar, describeProgress } from './progress-bar.ts';

const JSON_INTERVAL = 1000;
/** Lines stay where they are written to no terminal, and tell that something goes on. */
const LINE_INTERVAL = 10_000;

/** Tells how a transfer goes until it is stopped. */
export interface Following {
  stop(): void;
}

/** A transfer's progress, told as JSON lines, on a terminal by a bar, otherwise by a line now and then. What a person should know is a line of its own. */
export function followProgress(json: boolean): { progress: Progress; following: Following } {
  if (json) {
    const progress = new Progress((step, details) => {
      print({ step, ...details });
    });
    const timer = setInterval(() => {
      print({ step: 'progress', ...progress.snapshot() });
    }, JSON_INTERVAL);
    return { progress, following: { stop: () => clearInterval(timer) } };
  }
  const say = (line: string): void => {
    bar?.clear();
    tell(line);
  };
  const progress: Progress = new Progress((step, details) => {
    if (step === 'resuming') say(`going on after ${formatBytes(Number(details['position']))}`);
    if (step === 'starting over') say(`starting over: ${String(details['why'])}`);
    if (step === 'restarting') say(`starting over: ${String(details['cause'])}`);
  });
  const bar = process.stderr.isTTY ? new ProgressBar(progress, process.stderr) : undefined;
  if (bar !== undefined) return { progress, following: bar };
  const timer = setInterval(() => say(describeProgress(progress.snapshot()).trim()), LINE_INTERVAL);
  return { progress, following: { stop: () => clearInterval(timer) } };
}
