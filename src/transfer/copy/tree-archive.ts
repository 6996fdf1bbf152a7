import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { systemCode, TransferError } from '../../base/errors.ts';
import { LOST_AND_FOUND } from '../../base/lost-and-found.ts';
import { killGroup, programMissing } from '../../base/programs.ts';
import { collectTail } from '../../base/text-tail.ts';

/**
 * Archives everything below a folder with GNU tar: sparse files stay sparse, and modes, owners, times, hard links,
 * extended attributes and ACLs are kept where the reader may see them.
 *
 * @param members paths, relative to the folder, of what is archived and nothing else; everything where they are missing
 * @returns the archive; leaving the loop early ends tar
 * @throws TransferError SourceNotReadable, SourceChanged, ProgramMissing
 */
export async function* archiveTree(
  directory: string,
  members: Buffer[] | undefined,
  signal?: AbortSignal,
): AsyncGenerator<Buffer> {
  signal?.throwIfAborted();
  const names = members ?? (await listRoot(directory));
  const tar = spawn(
    'tar',
    [
      '--create',
      '--sparse',
      '--format=posix',
      '--numeric-owner',
      '--acls',
      '--xattrs',
      ...(members ? ['--no-recursion'] : []),
      `--directory=${directory}`,
      '--null',
      '--verbatim-files-from',
      '--files-from=-',
    ],
    { detached: true, stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, LC_ALL: 'C' } },
  );
  const complaints = collectTail(tar.stderr);
  const closed = once(tar, 'close') as Promise<[exitCode: number | null]>;
  // Awaited below; a failure to start must not count as unhandled while the output is read.
  closed.catch(() => undefined);
  const kill = (): void => killGroup(tar.pid);
  signal?.addEventListener('abort', kill, { once: true });
  // Where tar exits before it has read the list, its exit code says why.
  tar.stdin.on('error', () => undefined);
  // The members are listed individually because the root itself belongs to the cluster, not to the content.
  tar.stdin.end(Buffer.concat(names.flatMap((name) => [Buffer.from('./'), name, Buffer.from([0])])));
  let ended = false;
  try {
    for await (const chunk of tar.stdout as AsyncIterable<Buffer>) yield chunk;
    const [exitCode] = await closed;
    ended = true;
    signal?.throwIfAborted();
    checkExit(directory, exitCode, complaints.text());
  } catch (error) {
    throw systemCode(error) === 'ENOENT' ? programMissing('tar') : error;
  } finally {
    signal?.removeEventListener('abort', kill);
    if (!ended) {
      kill();
      await closed.catch(() => undefined);
    }
  }
}

async function listRoot(directory: string): Promise<Buffer[]> {
  try {
    const names = await readdir(directory, { encoding: 'buffer' });
    return names.filter((name) => name.toString() !== LOST_AND_FOUND);
  } catch (error) {
    throw new TransferError('SourceNotReadable', `${directory} cannot be read: ${systemCode(error)}`, { cause: error });
  }
}

/**
 * Checks the exit code. GNU tar exits with 1 where files changed while they were archived, and with 2 where something
 * could not be read.
 */
function checkExit(directory: string, exitCode: number | null, complaints: string): void {
  if (exitCode === 0) return;
  if (exitCode === 1) {
    throw new TransferError('SourceChanged', `${directory} was written while it was archived: ${complaints}`);
  }
  if (exitCode === null) throw new TransferError('Interrupted', `tar was killed while it archived ${directory}`);
  throw new TransferError('SourceNotReadable', `tar could not archive all of ${directory}: ${complaints}`);
}
