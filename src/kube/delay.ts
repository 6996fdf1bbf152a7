import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for this many milliseconds, or until the signal is aborted; the caller checks the signal to find out which. */
export async function delay(milliseconds: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return;
  await sleep(milliseconds, undefined, signal && { signal }).catch(() => undefined);
}
