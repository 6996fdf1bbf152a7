/**
 * Which files of a tree have arrived, and so need not be sent again: those whose size, modification time and mode are what the
 * archive says, which tar sets last. Files with several names are always sent again, with all of their names, so
 * that these stay one file; so is everything that is no file.
 *
 * On the wire, a file is `<size> <modification time> <mode> <path>`, ended by a zero byte. Names are bytes, not always text: they
 * are kept in strings of one byte per character.
 */
import { TransferError } from '../../base/errors.ts';
import { runProgram } from '../../base/programs.ts';
import { CHECKPOINT_NAME } from './copy-checkpoint.ts';
import { LOST_AND_FOUND } from '../../base/lost-and-found.ts';

const NANOSECONDS = 1_000_000_000n;

/**
 * Lists the files of a target that are complete.
 *
 * @param durableBefore files whose inode changed earlier are durable; in nanoseconds since the epoch, by the volume's own clock
 * @throws TargetNotWritable
 */
export async function listArrivedFiles(directory: string, durableBefore: bigint): Promise<Buffer> {
  const files = (await find(directory, ['-type', 'f', '-links', '1'], '%C@ %s %T@ %m %P')).map((line) => {
    const space = line.indexOf(' ');
    return { changed: nanoseconds(line.slice(0, space)), file: line.slice(space + 1) };
  });
  const newest = files.reduce((last, { changed }) => (changed > last ? changed : last), 0n);
  // The newest may not have got its attributes yet.
  const complete = files.filter(({ changed }) => changed < newest && changed < durableBefore);
  return Buffer.from(complete.map(({ file }) => `${file}\0`).join(''), 'latin1');
}

/** What of a tree is still to be sent. */
export interface MissingMembers {
  /** Paths from the tree's root, folders before what is in them. */
  paths: Buffer[];
  /** Of the files that are left out. */
  arrivedBytes: number;
  arrivedFiles: number;
}

/**
 * Compares a tree with what has arrived of it.
 *
 * @param arrived as listArrivedFiles gives it
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

/** `1732462000.1234567890` */
function nanoseconds(seconds: string): bigint {
  const [whole = '0', fraction = ''] = seconds.split('.');
  return BigInt(whole) * NANOSECONDS + BigInt(fraction.slice(0, 9).padEnd(9, '0'));
}
