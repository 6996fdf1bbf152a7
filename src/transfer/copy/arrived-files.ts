/**
 * Which files of a tree have arrived, and need not be sent again: those with the size, modification time and mode that
 * the archive has; tar sets these last. Files with hard links are always sent again, with all their names, so that they
 * stay one file. So is everything that is not a regular file.
 *
 * On the wire, a file is `<size> <modification time> <mode> <path>`, terminated by a zero byte. Names are bytes and not
 * always text; they are kept in strings of one byte per character.
 */
import { CHECKPOINT_NAME } from './copy-checkpoint.ts';
import { listMembers, type TreeMember } from './tree-members.ts';

const NANOSECONDS = 1_000_000_000n;

/**
 * Lists the files of a target that are complete.
 *
 * @param durableBefore files whose inode changed before this are durable; in nanoseconds since the epoch, by the clock
 * of the volume
 * @throws TransferError SourceNotReadable, SourceChanged
 */
export async function listArrivedFiles(directory: string, durableBefore: bigint): Promise<Buffer> {
  const files: { changed: bigint; file: string }[] = [];
  for await (const members of listMembers(directory)) {
    for (const member of members.filter(isSingleFile)) {
      if (member.path.startsWith(CHECKPOINT_NAME)) continue;
      files.push({ changed: nanoseconds(member.changed), file: describe(member) });
    }
  }
  const newest = files.reduce((last, { changed }) => (changed > last ? changed : last), 0n);
  // The newest file may not have got its attributes yet.
  const complete = files.filter(({ changed }) => changed < newest && changed < durableBefore);
  return Buffer.from(complete.map(({ file }) => `${file}\0`).join(''), 'latin1');
}

/** What has arrived of a tree. */
export interface ArrivedMembers {
  /** Bytes of the files that have arrived. */
  bytes: number;
  files: number;
  /** Whether a member of the tree is among them. */
  has: (member: TreeMember) => boolean;
}

/**
 * Compares a tree with what has arrived of it.
 *
 * @param list as returned by listArrivedFiles
 * @throws TransferError SourceNotReadable, SourceChanged
 */
export async function compareArrived(directory: string, list: Buffer): Promise<ArrivedMembers> {
  const there = new Set(list.toString('latin1').split('\0'));
  const arrived: ArrivedMembers = {
    bytes: 0,
    files: 0,
    has: (member) => isSingleFile(member) && there.has(describe(member)),
  };
  for await (const members of listMembers(directory)) {
    for (const member of members.filter(arrived.has)) {
      arrived.bytes += member.size;
      arrived.files += 1;
    }
  }
  return arrived;
}

function isSingleFile({ isFile, links }: TreeMember): boolean {
  return isFile && links === 1;
}

function describe({ size, modified, mode, path }: TreeMember): string {
  return `${size} ${modified} ${mode} ${path}`;
}

/** Parses a time such as `1732462000.1234567890`. */
function nanoseconds(seconds: string): bigint {
  const [whole = '0', fraction = ''] = seconds.split('.');
  return BigInt(whole) * NANOSECONDS + BigInt(fraction.slice(0, 9).padEnd(9, '0'));
}
