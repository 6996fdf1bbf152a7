import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cacheFolder } from '../../cluster/folders.ts';
import { withLock } from '../../cluster/lock.ts';

/**
 * The path of an image that takes so long to make that it is made once, and kept for later runs of the tests.
 *
 * @param name among the images that are kept, another one where it is made differently
 * @param make writes it to the path that it is given
 */
export async function keptImage(name: string, make: (path: string) => void): Promise<string> {
  const kept = join(cacheFolder(), 'disk-images', 'kept', name);
  await withLock(join(cacheFolder(), 'locks', `image-${name}`), async () => {
    if (existsSync(kept)) return;
    await mkdir(dirname(kept), { recursive: true });
    const unfinished = await mkdtemp(join(dirname(kept), '.unfinished-'));
    try {
      make(join(unfinished, name));
      await rename(join(unfinished, name), kept);
    } finally {
      await rm(unfinished, { recursive: true, force: true });
    }
  });
  return kept;
}
