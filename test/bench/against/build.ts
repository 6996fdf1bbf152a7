import { existsSync, rmSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execPath, pid } from 'node:process';
import { type Log, run } from '../../cluster/commands.ts';
import { cacheFolder, repository } from '../../cluster/folders.ts';
import { atEnd } from '../ending.ts';

/** Sources with their dependencies and what is built of them. */
export interface Build {
  /** How tables name it. */
  readonly name: string;
  /** The top of its checkout, with `dist` in it. */
  readonly folder: string;
}

/** Builds this checkout. */
export async function ownBuild(): Promise<Build> {
  await run(execPath, ['build.ts'], { cwd: repository });
  return { name: 'this build', folder: repository };
}

/**
 * Builds another commit, with the dependencies of its own lock file, and keeps it in the cache.
 *
 * @param commit whatever git takes for one
 * @throws CommandFailed where there is no such commit, or it cannot be built
 */
export async function buildOf(commit: string, log: Log): Promise<Build> {
  const hash = await run('git', ['rev-parse', '--verify', '--quiet', `${commit}^{commit}`], { cwd: repository });
  const folder = join(cacheFolder(), 'commits', hash);
  if (!existsSync(folder)) {
    log(`building ${commit} in ${folder}`);
    const unfinished = `${folder}.${pid}`;
    atEnd(() => rmSync(unfinished, { recursive: true, force: true }));
    await mkdir(unfinished, { recursive: true });
    const archive = join(unfinished, '.archive.tar');
    await run('git', ['archive', '--output', archive, hash], { cwd: repository });
    await run('tar', ['-xf', archive], { cwd: unfinished });
    await rm(archive);
    await run('npm', ['ci', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: unfinished });
    await run(execPath, ['build.ts'], { cwd: unfinished });
    await rename(unfinished, folder);
  }
  return { name: commit, folder };
}
