import { openStandardInput } from '../../source/kinds/standard-input.ts';
import type { GivenSource } from './given-source.ts';

/** Standard input. */
export const standardInput: GivenSource = {
  shown: '- for standard input',
  isStream: true,
  matches: (given) => given === '-',
  localPath: () => '/dev/stdin',
  open: (_, __, progress) => openStandardInput(progress),
};
