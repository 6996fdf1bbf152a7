import { setTimeout as sleep } from 'node:timers/promises';
import type { Progress } from '../base/progress.ts';
import type { TransferIdentity } from '../transfer/copy/peer.ts';
import { readTransferIdentity } from './transfer-identity.ts';

export interface RenewalOptions {
  directory: string;
  /** The identity that is in use. */
  identity: TransferIdentity;
  /** Milliseconds between two looks. */
  interval: number;
  progress: Progress;
  signal: AbortSignal;
}

/**
 * Looks regularly whether the kubelet has put other certificates into a mounted Secret, until the signal. Files that
 * cannot be used are reported, and the identity stays as it is.
 */
export async function followIdentity(
  { directory, identity, interval, progress, signal }: RenewalOptions,
  use: (identity: TransferIdentity) => void,
): Promise<void> {
  let known = JSON.stringify(identity);
  while (!signal.aborted) {
    await sleep(interval, undefined, { signal, ref: false }).catch(() => undefined);
    if (signal.aborted) return;
    try {
      const now = await readTransferIdentity(directory);
      const text = JSON.stringify(now);
      if (text === known) continue;
      use(now);
      known = text;
      progress.note('certificates renewed', { directory });
    } catch (error) {
      progress.note('certificates cannot be renewed', { directory, cause: String(error) });
    }
  }
}
