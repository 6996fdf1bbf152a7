import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { systemCode, TransferError } from '../../base/errors.ts';
import { LOST_AND_FOUND } from '../../base/lost-and-found.ts';
import { killGroup, programMissing } from '../../base/programs.ts';
import { collectTail } from '../../base/text-tail.ts';

/** Something below the root of a tree. */
export interface TreeMember {
  /** Path from the root. Names are bytes and not always text; each byte is one character here. */
  path: string;
  isFile: boolean;
  /** Names that a file has. */
  links: number;
  inode: number;
  /** Bytes of storage that a file occupies. */
  stored: number;
  /** Length of a file in bytes. */
  size: number;
  /** Times of the last change of its content and of its inode, in seconds since the epoch: `1732462000.1234567890`. */
  modified: string;
  changed: string;
  /** Permissions, octal. */
  mode: string;
}

/** The unit in which `find` counts storage, in bytes. */
const STORAGE_UNIT = 512;
const FORMAT = '%y %n %i %b %s %T@ %C@ %m %P\\0';

/**
 * Lists everything below a folder, other folders before their content, as fast as it is taken. Leaving the loop early
 * ends the program that lists.
 *
 * @throws TransferError SourceNotReadable, SourceChanged, ProgramMissing
 */
export async function* listMembers(directory: string, signal?: AbortSignal): AsyncGenerator<TreeMember[]> {
  signal?.throwIfAborted();
  const find = spawn(
    'find',
    ['.', '-mindepth', '1', '-path', `./${LOST_AND_FOUND}`, '-prune', '-o', '-printf', FORMAT],
    {
      cwd: directory,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, LC_ALL: 'C' },
    },
  );
  const complaints = collectTail(find.stderr);
  const closed = once(find, 'close') as Promise<[exitCode: number | null]>;
  // Awaited below; a failure to start must not count as unhandled while the output is read.
  closed.catch(() => undefined);
  const kill = (): void => killGroup(find.pid);
  signal?.addEventListener('abort', kill, { once: true });
  let ended = false;
  try {
    let rest = '';
    for await (const text of find.stdout.setEncoding('latin1') as AsyncIterable<string>) {
      const lines = (rest + text).split('\0');
      rest = lines.pop() ?? '';
      yield lines.map(parse);
    }
    const [exitCode] = await closed;
    ended = true;
    signal?.throwIfAborted();
    if (exitCode !== 0) throw failure(directory, complaints.text());
  } catch (error) {
    throw systemCode(error) === 'ENOENT' ? programMissing('find') : error;
  } finally {
    signal?.removeEventListener('abort', kill);
    if (!ended) {
      kill();
      await closed.catch(() => undefined);
    }
  }
}

function parse(line: string): TreeMember {
  const [, type, links, inode, blocks, size, modified = '', changed = '', mode = '', path = ''] =
    /^(.) (\d+) (\d+) (\d+) (\d+) (\S+) (\S+) (\d+) (.*)$/s.exec(line) ?? [];
  return {
    path,
    isFile: type === 'f',
    links: Number(links),
    inode: Number(inode),
    stored: Number(blocks) * STORAGE_UNIT,
    size: Number(size),
    modified,
    changed,
    mode,
  };
}

function failure(directory: string, complaints: string): TransferError {
  if (complaints.includes('No such file')) {
    return new TransferError('SourceChanged', `${directory} was written while it was listed: ${complaints}`);
  }
  return new TransferError('SourceNotReadable', `${directory} cannot be listed: ${complaints}`);
}
