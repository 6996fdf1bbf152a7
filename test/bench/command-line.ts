import { type Command, InvalidArgumentError, Option } from 'commander';
import { count, scriptCommand } from '../support/command-line.ts';

/** The command line of a benchmark. It ends the process after `--help`, and by code 2 where it makes no sense. */
export const benchCommand = (name: string, about: string): Command =>
  scriptCommand(`npm run bench -- ${name}`.trim(), about);

/** For options that take several such numbers, at once or by being given again. */
export const counts = (text: string, previous: readonly number[] = []): number[] => [...previous, count(text)];

/** For options that take milliseconds. */
export function milliseconds(text: string): number {
  const value = Number(text);
  if (!(value >= 0)) throw new InvalidArgumentError('It takes a number of milliseconds.');
  return value;
}

/** An option that takes several of these names, at once or by being given again. */
export const severalOf = (flag: string, about: string, names: readonly string[]): Option =>
  new Option(`${flag} <name...>`, about).choices(names);

/** For what is told of one build only. */
export const withoutAgainst = (flag: string, about: string): Option =>
  new Option(flag, about).default(false).conflicts('against');

/** How often each is measured. */
export const roundsOption = (rounds: number): Option =>
  new Option('--rounds <count>', 'of each, whose median is told').argParser(count).default(rounds);

export const smallOption = (): Option =>
  new Option('--small', 'a disk of 1 GiB with 150 MiB of data, to try it out').default(false);

export const againstOption = (): Option =>
  new Option('--against <commit>', 'measures the build of that commit, too, in alternation');
