import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

export type Log = (line: string) => void;

/** A program could not be started or ended with another status than zero. */
export class CommandFailed extends Error {
  readonly code = 'CommandFailed';
  readonly status: number | null;
  readonly stderr: string;
  constructor(command: string, status: number | null, stderr: string) {
    const tail = stderr.trim().split('\n').slice(-20).join('\n');
    super(`"${command}" ended with ${status === null ? 'a signal' : `status ${status}`}${tail ? `:\n${tail}` : ''}`);
    this.name = 'CommandFailed';
    this.status = status;
    this.stderr = stderr;
  }
}

export interface RunOptions {
  cwd?: string;
  /** Added to this process's environment; undefined removes a variable. */
  env?: Record<string, string | undefined>;
  /** Written to the program's standard input. */
  input?: string | Readable;
  /** Receives each line of standard output and standard error as it comes. */
  onLine?: Log;
  signal?: AbortSignal;
}

/** Runs a program and returns its standard output without the last line end; throws {@link CommandFailed}. */
export async function run(program: string, args: string[], options: RunOptions = {}): Promise<string> {
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    signal: options.signal,
  });
  const [out, err] = [child.stdout!, child.stderr!].map((stream) => {
    const text = { value: '' };
    let line = '';
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text.value += chunk;
      if (options.onLine) {
        const lines = (line + chunk).split('\n');
        line = lines.pop()!;
        lines.forEach(options.onLine);
      }
    });
    return text;
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  ended.catch(() => undefined);
  if (typeof options.input === 'string') {
    child.stdin!.on('error', () => undefined).end(options.input);
  } else if (options.input) {
    // A program that stops reading early says why in its status and standard error.
    await pipeline(options.input, child.stdin!).catch(() => undefined);
  }
  const status = await ended;
  if (status !== 0) {
    throw new CommandFailed([program, ...args].join(' '), status, err!.value || out!.value);
  }
  return out!.value.trimEnd();
}

/** Like {@link run}, for programs whose failure is an answer too. */
export async function succeeds(program: string, args: string[], options: RunOptions = {}): Promise<boolean> {
  try {
    await run(program, args, options);
    return true;
  } catch (error) {
    if (error instanceof CommandFailed) {
      return false;
    }
    throw error;
  }
}

/** Says every 20 seconds that work goes on: what, and for how long already. */
export async function tellingTime<T>(log: Log, what: () => string, work: () => Promise<T>): Promise<T> {
  const started = Date.now();
  const timer = setInterval(() => log(`still ${what()}, ${Math.round((Date.now() - started) / 1000)} s`), 20_000);
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
