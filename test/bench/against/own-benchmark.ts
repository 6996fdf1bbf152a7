import { join } from 'node:path';
import { execPath } from 'node:process';
import { type Log, run } from '../../cluster/commands.ts';
import type { Build } from './build.ts';

/** A benchmark may exit with it where a figure misses its aim. */
const MISSED = 1;

/**
 * Runs a benchmark of a build's own, for what depends on how that build is installed and what it may do.
 *
 * @param env added to this process's environment; undefined removes a variable
 * @returns what it prints
 * @throws CommandFailed
 */
export async function runOwnBenchmark(
  { name, folder }: Build,
  args: string[],
  log: Log,
  env: Record<string, string | undefined> = {},
): Promise<string> {
  const benchmark = [execPath, join(folder, 'test/launch.mjs'), 'test/bench/main.ts', ...args];
  return run('bash', ['-c', `"$@" || [ $? -eq ${MISSED} ]`, 'bash', ...benchmark], {
    cwd: folder,
    env,
    onLine: (line) => log(`${name}: ${line}`),
  });
}
