import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds between two looks, unless more is allowed. */
const PAUSE = 20;
/** What a pause may add to the time that it takes. */
const SHARE_OF_TIME = 0.1;

/**
 * Waits until the function returns something truthy, without throwing.
 *
 * @param longestPause milliseconds between two looks, at most, once it has taken ten times as long: for looks that take
 * more of the processors than they are worth, at what lasts
 * @returns what it returned
 * @throws Error after the timeout, with what the function threw last
 */
export async function eventually<T>(
  what: string,
  condition: () => T | Promise<T>,
  timeout = 20_000,
  longestPause = PAUSE,
): Promise<Exclude<T, undefined | null | false | '' | 0>> {
  const began = performance.now();
  let cause: unknown;
  for (;;) {
    try {
      const value = await condition();
      if (value) return value as Exclude<T, undefined | null | false | '' | 0>;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    const elapsed = performance.now() - began;
    if (elapsed > timeout) throw new Error(`not within ${timeout} ms: ${what}`, { cause });
    await sleep(Math.min(longestPause, Math.max(PAUSE, elapsed * SHARE_OF_TIME)));
  }
}
