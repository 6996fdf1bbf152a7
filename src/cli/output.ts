import { ScratchNeeded, TransferError, asTransferError } from '../transfer/errors.ts';

/** As shells tell that a program was ended by SIGINT. */
const INTERRUPTED = 130;

/** Writes one line of JSON to standard output. */
export function print(value: object): void {
  console.log(JSON.stringify(value));
}

/** Does a command's work. Where it fails, says why in one line, and ends with a code other than 0. */
export async function report(work: () => Promise<void>, { json = false }: { json?: boolean }): Promise<void> {
  try {
    await work();
  } catch (error) {
    const failure =
      error instanceof ScratchNeeded
        ? new TransferError('InvalidRequest', `${error.message}; name a folder for that with --scratch`)
        : asTransferError(error);
    if (json) print({ step: 'failed', code: failure.code, permanent: failure.permanent, message: failure.message });
    else console.error(`diskpress: ${failure.message}`);
    process.exitCode = failure.code === 'Interrupted' ? INTERRUPTED : 1;
  }
}
