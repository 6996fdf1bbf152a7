import { createHash, type Hash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { version } from 'node:process';
import { run } from '../cluster/commands.ts';
import { cacheFolder, repository } from '../cluster/folders.ts';

/**
 * Remembers which trees a check has passed, wherever they were checked out: whatever looks at nothing but the files of
 * this repository, the packages of its lock file and Node finds the same in the same tree. Of a tree that was changed
 * meanwhile, nobody knows what the check has seen.
 */
export class PassedBefore {
  readonly #folder: string;
  readonly #tree: string | undefined;

  private constructor(folder: string, tree: string | undefined) {
    this.#folder = folder;
    this.#tree = tree;
  }

  /** Of the tree as it stands, with what git does not know yet and without what it ignores. Without git, of none. */
  static async create(folder = repository): Promise<PassedBefore> {
    return new PassedBefore(folder, await hashOf(folder));
  }

  /** @param check tells what is checked; how that is done is part of the tree */
  has(check: string): boolean {
    const path = this.#path(check);
    return path !== undefined && existsSync(path);
  }

  /** Remembers that the tree has passed a check, unless it is another one by now. */
  async add(check: string): Promise<void> {
    const path = this.#path(check);
    if (path === undefined || (await hashOf(this.#folder)) !== this.#tree) return;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `${check}\n`);
  }

  #path(check: string): string | undefined {
    if (this.#tree === undefined) return undefined;
    const name = createHash('sha256').update(`${this.#tree} ${check}`).digest('hex');
    return join(cacheFolder(), 'checks', name);
  }
}

/** Returns undefined where a folder is not the root of a repository of git. */
async function hashOf(folder: string): Promise<string | undefined> {
  const top = await run('git', ['rev-parse', '--show-toplevel'], { cwd: folder }).catch(() => undefined);
  if (top !== folder) return undefined;
  const listed = await run('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: folder });
  const hash = createHash('sha256').update(version);
  for (const path of [...new Set(listed.split('\0'))].sort()) add(hash, folder, path);
  return hash.digest('hex');
}

function add(hash: Hash, folder: string, path: string): void {
  const file = join(folder, path);
  // What git knows may have been removed.
  const found = lstatSync(file, { throwIfNoEntry: false });
  if (!found?.isFile() && !found?.isSymbolicLink()) return;
  const content = found.isFile() ? readFileSync(file) : Buffer.from(readlinkSync(file));
  hash.update(`${path}\0${found.mode}\0${content.length}\0`).update(content);
}
