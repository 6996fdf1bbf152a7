import { runProgram } from '../../base/programs.ts';

/**
 * Returns the bytes of storage that a tree occupies: hard links count once, holes do not. Undefined where not all of it
 * can be read.
 */
export async function diskUsage(directory: string): Promise<number | undefined> {
  const { exitCode, stdout } = await runProgram('du', [
    '--summarize',
    '--one-file-system',
    '--block-size=1',
    directory,
  ]);
  const bytes = Number.parseInt(stdout, 10);
  return exitCode === 0 && Number.isSafeInteger(bytes) ? bytes : undefined;
}
