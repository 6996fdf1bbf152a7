import { fileURLToPath } from 'node:url';
import { FileSource } from '../../source/kinds/file-source.ts';
import type { GivenSource } from './given-source.ts';

const pathOf = (given: string): string => (given.startsWith('file://') ? fileURLToPath(given) : given);

/** A file or a block device on this machine. A file named - is given as ./- */
export const file: GivenSource = {
  shown: 'a file',
  matches: (given) => given !== '-' && (given.startsWith('file://') || !given.includes('://')),
  localPath: pathOf,
  open: (given, _, progress) => new FileSource(pathOf(given), progress),
};
