import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { systemCode, TransferError } from './errors.ts';

const LONGEST_STDERR = 4096;

export interface ProgramResult {
  exitCode: number | null;
  /** The last few KiB of standard error. */
  stderr: string;
  stdout: string;
}

export interface ProgramOptions {
  environment?: Record<string, string>;
  /** The working directory; by default that of this process. */
  directory?: string;
  signal?: AbortSignal | undefined;
  /** Open files that the program inherits as descriptors 3, 4, and so on: see {@link inherited}. */
  descriptors?: readonly number[];
  /** The encoding of standard output; by default UTF-8. */
  encoding?: BufferEncoding;
  /** Called with standard output as it arrives, in place of collecting it. */
  onStdout?: (text: string) => void;
}

/**
 * Runs a program in its own process group and waits for its exit; an abort kills the group.
 *
 * @throws TransferError ProgramMissing
 */
export async function runProgram(
  program: string,
  parameters: string[],
  options: ProgramOptions = {},
): Promise<ProgramResult> {
  const { environment, directory, signal, onStdout, encoding = 'utf8', descriptors = [] } = options;
  signal?.throwIfAborted();
  const child = spawn(program, parameters, {
    detached: true,
    ...(directory !== undefined && { cwd: directory }),
    stdio: ['ignore', 'pipe', 'pipe', ...descriptors],
    env: { ...process.env, LC_ALL: 'C', ...environment },
  }) as ChildProcessByStdio<null, Readable, Readable>;
  const kill = (): void => {
    killGroup(child.pid);
  };
  signal?.addEventListener('abort', kill, { once: true });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding(encoding).on('data', (text: string) => {
    if (onStdout === undefined) stdout += text;
    else onStdout(text);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-LONGEST_STDERR);
  });
  try {
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    signal?.throwIfAborted();
    return { exitCode, stderr: stderr.trim(), stdout };
  } catch (error) {
    if (systemCode(error) === 'ENOENT') throw programMissing(program);
    throw error;
  } finally {
    signal?.removeEventListener('abort', kill);
  }
}

/**
 * Returns the path of a file that a program inherited. Unlike the file's own path, it cannot come to name another file.
 *
 * @param index among `descriptors`
 */
export function inherited(index: number): string {
  return `/proc/self/fd/${3 + index}`;
}

/** Whether a program is installed and succeeds. */
export async function programSucceeds(program: string, parameters: string[]): Promise<boolean> {
  try {
    return (await runProgram(program, parameters)).exitCode === 0;
  } catch (error) {
    if (error instanceof TransferError && error.code === 'ProgramMissing') return false;
    throw error;
  }
}

export function programMissing(program: string): TransferError {
  return new TransferError('ProgramMissing', `the program ${program} is needed and not installed`);
}

/** Kills a child that was started with `detached`, and its descendants. */
export function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (systemCode(error) !== 'ESRCH') throw error;
  }
}
