import { spawn, type ChildProcessByStdio } from 'node:child_process';
import type { Readable } from 'node:stream';
import { TransferError, systemCode } from './errors.ts';

const LONGEST_STDERR = 4096;

export interface ProgramResult {
  exitCode: number | null;
  /** The last few KiB of standard error. */
  stderr: string;
  stdout: string;
}

export interface ProgramOptions {
  environment?: Record<string, string>;
  /** Where it runs; where this process runs, unless it is given. */
  directory?: string;
  signal?: AbortSignal | undefined;
  /** Open files that it has as 3, 4, and so on: {@link inherited}. */
  descriptors?: readonly number[];
  /** Of standard output; UTF-8 unless it is given. */
  encoding?: BufferEncoding;
  /** Called with standard output as it comes, instead of collecting it. */
  onStdout?: (text: string) => void;
}

/**
 * Runs a program in a process group of its own and waits for its end; an abort kills the group.
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
 * The path of a file that a program was given open. What has come to be under the file's own path does not matter then.
 *
 * @param index among `descriptors`
 */
export function inherited(index: number): string {
  return `/proc/self/fd/${3 + index}`;
}

/** Whether a program is there and ends well. */
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

/** Kills a child that was started with `detached`, and its own children. */
export function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (systemCode(error) !== 'ESRCH') throw error;
  }
}
