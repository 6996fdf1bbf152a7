import { fileURLToPath } from 'node:url';
import { FileSource } from '../../source/kinds/file-source.ts';
import type { GivenSource } from './given-source.ts';

const pathOf = (given: string): string => (given.startsWith('file://') ? fileURLToPath(given) : given);

/** A file or a block device of this machine. One of the name - is written as ./- */
export const file: GivenSource = {
  shown: 'a file',
  matches: (given) => given !== '-' && (given.startsWith('file://') || !given.includes('://')),
  localPath: pathOf,
  open: (given, _, progress) => new FileSource(pathOf(given), progress),
};
