/**
 * Which files of a tree have arrived, and need not be sent again: those with the size, modification time and mode that
 * the archive has; tar sets these last. Files with hard links are always sent again, with all their names, so that they
 * stay one file. So is everything that is not a regular file.
 *
 * On the wire, a file is `<size> <modification time> <mode> <path>`, terminated by a zero byte. Names are bytes and not
 * always text; they are kept in strings of one byte per character.
 */
import { TransferError } from '../../base/errors.ts';
import { LOST_AND_FOUND } from '../../base/lost-and-found.ts';
import { runProgram } from '../../base/programs.ts';
import { CHECKPOINT_NAME } from './copy-checkpoint.ts';

const NANOSECONDS = 1_000_000_000n;

/**
 * Lists the files of a target that are complete.
 *
 * @param durableBefore files whose inode changed before this are durable; in nanoseconds since the epoch, by the clock
 * of the volume
 * @throws TransferError TargetNotWritable
 */
export async function listArrivedFiles(directory: string, durableBefore: bigint): Promise<Buffer> {
  const files = (await find(directory, ['-type', 'f', '-links', '1'], '%C@ %s %T@ %m %P')).map((line) => {
    const space = line.indexOf(' ');
    return { changed: nanoseconds(line.slice(0, space)), file: line.slice(space + 1) };
  });
  const newest = files.reduce((last, { changed }) => (changed > last ? changed : last), 0n);
  // The newest file may not have got its attributes yet.
  const complete = files.filter(({ changed }) => changed < newest && changed < durableBefore);
  return Buffer.from(complete.map(({ file }) => `${file}\0`).join(''), 'latin1');
}

/** The part of a tree that still has to be sent. */
export interface MissingMembers {
  /** Paths from the root of the tree, folders before their content. */
  paths: Buffer[];
  /** Bytes of the files that are left out. */
  arrivedBytes: number;
  arrivedFiles: number;
}

/**
 * Compares a tree with what has arrived of it.
 *
 * @param arrived as returned by listArrivedFiles
 * @throws TransferError SourceNotReadable
 */
export async function listMissing(directory: string, arrived: Buffer): Promise<MissingMembers> {
  const there = new Set(arrived.toString('latin1').split('\0'));
  const missing: MissingMembers = { paths: [], arrivedBytes: 0, arrivedFiles: 0 };
  for (const line of await find(directory, [], '%y %n %s %T@ %m %P')) {
    const [, type, links, file = '', size] = /^(.) (\d+) ((\d+) .*)$/s.exec(line) ?? [];
    if (type === 'f' && links === '1' && there.has(file)) {
      missing.arrivedBytes += Number(size);
      missing.arrivedFiles += 1;
    } else {
      missing.paths.push(Buffer.from(file.split(' ').slice(3).join(' '), 'latin1'));
    }
  }
  return missing;
}

async function find(directory: string, conditions: string[], format: string): Promise<string[]> {
  const { exitCode, stdout, stderr } = await runProgram(
    'find',
    [
      ...['.', '-mindepth', '1'],
      ...['-path', `./${LOST_AND_FOUND}`, '-prune', '-o', '-path', `./${CHECKPOINT_NAME}*`, '-o'],
      ...[...conditions, '-printf', `${format}\\0`],
    ],
    { directory, encoding: 'latin1' },
  );
  if (exitCode !== 0) throw new TransferError('SourceNotReadable', `${directory} cannot be listed: ${stderr}`);
  return stdout.split('\0').slice(0, -1);
}

/** Parses a time such as `1732462000.1234567890`. */
function nanoseconds(seconds: string): bigint {
  const [whole = '0', fraction = ''] = seconds.split('.');
  return BigInt(whole) * NANOSECONDS + BigInt(fraction.slice(0, 9).padEnd(9, '0'));
}
