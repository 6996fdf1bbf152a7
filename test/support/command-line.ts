import { exit } from 'node:process';
import { Command, InvalidArgumentError } from 'commander';

/** What makes no sense is no failure of what is run. */
const USAGE = 2;

/**
 * The command line of a script. It ends the process after `--help`, and by code 2 where it makes no sense.
 *
 * @param name as it is called, `npm run …`
 */
export const scriptCommand = (name: string, about: string): Command =>
  new Command(name).description(about).exitOverride(({ exitCode }) => exit(exitCode === 0 ? 0 : USAGE));

/** For options that take a whole number of at least one. */
export const count = wholeNumberFrom(1);

/** For options that take a whole number of at least that. */
export function wholeNumberFrom(least: number): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? NaN : Number(text);
    if (!Number.isSafeInteger(value) || value < least) {
      throw new InvalidArgumentError(`It takes a whole number from ${least} on.`);
    }
    return value;
  };
}
