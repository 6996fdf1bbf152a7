import { setTimeout as sleep } from 'node:timers/promises';

/** Waits for so many milliseconds, or until the signal is aborted; the caller asks the signal which it was. */
export async function delay(milliseconds: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return;
  await sleep(milliseconds, undefined, signal && { signal }).catch(() => undefined);
}
