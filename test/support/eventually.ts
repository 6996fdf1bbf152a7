import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Waits until the function returns something truthy, without throwing.
 *
 * @returns what it returned
 * @throws Error after the timeout, with what the function threw last
 */
export async function eventually<T>(
  what: string,
  condition: () => T | Promise<T>,
  timeout = 20_000,
): Promise<Exclude<T, undefined | null | false | '' | 0>> {
  const deadline = performance.now() + timeout;
  let cause: unknown;
  for (;;) {
    try {
      const value = await condition();
      if (value) return value as Exclude<T, undefined | null | false | '' | 0>;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (performance.now() > deadline) throw new Error(`not within ${timeout} ms: ${what}`, { cause });
    await sleep(20);
  }
}
