import { readFile } from 'node:fs/promises';
import { systemCode, TransferError } from '../../base/errors.ts';

/**
 * Reads the text of a file that the environment names.
 *
 * @throws TransferError InvalidRequest
 */
export function readGiven(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    throw notReadable(path, error);
  });
}

/**
 * Reads the text of a file that the environment names; undefined where it does not exist.
 *
 * @throws TransferError InvalidRequest
 */
export function readGivenIfThere(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw notReadable(path, error);
  });
}

function notReadable(path: string, cause: unknown): TransferError {
  return new TransferError('InvalidRequest', `cannot read ${path} (${systemCode(cause) ?? 'failed'})`, { cause });
}
