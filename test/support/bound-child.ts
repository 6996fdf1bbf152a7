import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process';

/** Starts a program that the kernel kills when this process ends, in whatever way it does. */
export function spawnBound(program: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  return spawn('setpriv', ['--pdeathsig', 'KILL', '--', program, ...args], options);
}
