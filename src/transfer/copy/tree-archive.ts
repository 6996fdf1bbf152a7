import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { systemCode, TransferError } from '../../base/errors.ts';
import { killGroup, programMissing } from '../../base/programs.ts';
import { collectTail } from '../../base/text-tail.ts';
import { NameFeeder } from './name-feeder.ts';
import type { TreeMember } from './tree-members.ts';

/**
 * Archives members of a folder with GNU tar: sparse files stay sparse, and modes, owners, times, hard links, extended
 * attributes and ACLs are kept where the reader may see them.
 *
 * @param members what is archived, and nothing else. The root itself belongs to the cluster, not to the content
 * @returns the archive; leaving the loop early ends tar
 * @throws TransferError SourceNotReadable, SourceChanged, ProgramMissing; what `members` throws
 */
export async function* archiveTree(
  directory: string,
  members: AsyncIterable<TreeMember[]>,
  signal?: AbortSignal,
): AsyncGenerator<Buffer> {
  signal?.throwIfAborted();
  const tar = spawn(
    'tar',
    [
      '--create',
      '--sparse',
      '--format=posix',
      '--numeric-owner',
      '--acls',
      '--xattrs',
      '--no-recursion',
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
  const feeder = new NameFeeder(directory, tar.stdin);
  const feeding = feeder.feed(members);
  // An archive of only some members must not be taken for whole.
  feeding.catch(kill);
  let ended = false;
  try {
    for await (const chunk of tar.stdout as AsyncIterable<Buffer>) {
      feeder.archived(chunk.length);
      yield chunk;
      feeder.awaited();
    }
    const [exitCode] = await closed;
    ended = true;
    signal?.throwIfAborted();
    feeder.stop();
    await feeding;
    checkExit(directory, exitCode, complaints.text());
  } catch (error) {
    throw systemCode(error) === 'ENOENT' ? programMissing('tar') : error;
  } finally {
    signal?.removeEventListener('abort', kill);
    feeder.stop();
    if (!ended) {
      kill();
      await Promise.allSettled([closed, feeding]);
    }
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
