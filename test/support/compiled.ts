import { mkdirSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cacheFolder, checkout } from '../cluster/folders.ts';

/** Checkouts whose tests have not run for so long are gone, or will compile once more. */
const UNUSED_MILLISECONDS = 21 * 24 * 60 * 60 * 1000;

/** What Node makes of this checkout's TypeScript. It has a file for each module, by its path. */
export const compiled = join(cacheFolder(), 'compiled', checkout);

/** Removes what is kept for checkouts that are not in use, and whatever else is there. Not for each process. */
export function forgetUnusedCompiled(): void {
  mkdirSync(compiled, { recursive: true });
  const now = Date.now();
  utimesSync(compiled, now / 1000, now / 1000);
  const all = dirname(compiled);
  for (const name of readdirSync(all)) {
    const folder = join(all, name);
    const used = statSync(folder, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    const isCheckout = /^[0-9a-f]{16}$/.test(name);
    if (isCheckout && now - used < UNUSED_MILLISECONDS) continue;
    try {
      rmSync(folder, { recursive: true, force: true });
    } catch {
      // Somebody writes there: a later run removes it.
    }
  }
}
