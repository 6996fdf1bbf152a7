import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { spawnBound } from './bound-child.ts';

const running = new Set<ChildProcess>();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));
// Told to end, this process does so in order: what it has in temporary folders goes with it.
for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));

/** A program under test. It never outlives this process. */
export class Program {
  readonly #child: ChildProcess;

  /** @param log a file to which its output is appended */
  constructor(program: string, args: readonly string[], log: string) {
    const output = openSync(log, 'a');
    this.#child = spawnBound(program, args, { stdio: ['ignore', output, output] });
    closeSync(output);
    running.add(this.#child);
    this.#child.once('exit', () => running.delete(this.#child));
    this.#child.once('error', () => running.delete(this.#child));
  }

  /** Undefined where it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  get running(): boolean {
    return running.has(this.#child);
  }

  /** Sends the signal, and waits for the end of the program. */
  async end(signal: NodeJS.Signals): Promise<void> {
    if (!this.running) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill(signal);
    await ended;
  }

  pause(): void {
    this.#child.kill('SIGSTOP');
  }

  resume(): void {
    this.#child.kill('SIGCONT');
  }
}
