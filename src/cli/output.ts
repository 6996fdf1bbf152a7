import { advised, asTransferError, ScratchNeeded, TransferError } from '../base/errors.ts';
import { printableJson, printableLine } from '../base/printable.ts';
import { advice } from './advice.ts';

/** The exit code by which shells report that a program was ended by SIGINT. */
const INTERRUPTED = 130;
const CLEAR = '\x1b[H\x1b[2J';

// Everything that the command line prints passes through here: much of it comes from images, servers and objects of
// other people, and could contain control sequences for the terminal.

/** Writes one line of JSON to standard output. */
export function print(value: object): void {
  console.log(printableJson(value));
}

/** Writes lines for people to standard output. */
export function printLines(lines: readonly string[]): void {
  console.log(lines.map(printableLine).join('\n'));
}

/** Replaces the previous lines on a terminal; elsewhere appends lines after an empty one. */
export function redrawLines(lines: readonly string[]): void {
  if (process.stdout.isTTY) process.stdout.write(CLEAR);
  printLines(lines);
  if (!process.stdout.isTTY) console.log('');
}

/** Writes a message for people to standard error, as one line. */
export function tell(message: string): void {
  console.error(printableLine(`diskpress: ${message}`));
}

/** Runs the work of a command. On failure, prints the reason in one line and sets a non-zero exit code. */
export async function report(work: () => Promise<void>, { json = false }: { json?: boolean }): Promise<void> {
  try {
    await work();
  } catch (error) {
    const failure =
      error instanceof ScratchNeeded
        ? new TransferError('InvalidRequest', `${error.message}; name a folder for that with --scratch`)
        : advised(asTransferError(error), advice);
    if (json) print({ step: 'failed', code: failure.code, permanent: failure.permanent, message: failure.message });
    else tell(failure.message);
    process.exitCode = failure.code === 'Interrupted' ? INTERRUPTED : 1;
  }
}
