import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TransferError } from '../base/errors.ts';
import type { TransferIdentity } from '../transfer/copy/peer.ts';

/**
 * Reads a mounted Secret of type kubernetes.io/tls with a `ca.crt`.
 *
 * @throws TransferError InvalidRequest
 */
export async function readTransferIdentity(directory: string): Promise<TransferIdentity> {
  const read = (name: string): Promise<string> => readFile(join(directory, name), 'utf8');
  try {
    const [certificate, key, ca] = await Promise.all([read('tls.crt'), read('tls.key'), read('ca.crt')]);
    return { certificate, key, ca };
  } catch (error) {
    throw new TransferError('InvalidRequest', `the certificates of the transfer are missing from ${directory}`, {
      cause: error,
    });
  }
}
