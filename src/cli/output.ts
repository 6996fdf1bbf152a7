import { ScratchNeeded, TransferError, advised, asTransferError } from '../base/errors.ts';
import { printableJson, printableLine } from '../base/printable.ts';
import { advice } from './advice.ts';

/** As shells tell that a program was ended by SIGINT. */
const INTERRUPTED = 130;
const CLEAR = '\x1b[H\x1b[2J';

// All that the command line writes goes through here: much of it comes from images, servers and other people's objects, and a
// terminal would do what it says.

/** Writes one line of JSON to standard output. */
export function print(value: object): void {
  console.log(printableJson(value));
}

/** Writes lines for people to standard output. */
export function printLines(lines: readonly string[]): void {
  console.log(lines.map(printableLine).join('\n'));
}

/** Writes lines in place of those before on a terminal; otherwise below them, with an empty line between. */
export function redrawLines(lines: readonly string[]): void {
  if (process.stdout.isTTY) process.stdout.write(CLEAR);
  printLines(lines);
  if (!process.stdout.isTTY) console.log('');
}

/** Tells people something on standard error, in one line. */
export function tell(message: string): void {
  console.error(printableLine(`diskpress: ${message}`));
}

/** Does a command's work. Where it fails, says why in one line, and ends with a code other than 0. */
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
