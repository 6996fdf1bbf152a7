import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from '../../cluster/folders.ts';
import { withLock } from '../../cluster/lock.ts';

const folder = join(cacheFolder(), 'disk-images', 'kept');

/** An image that takes so long to make that it is made once, and kept for later runs of the tests. */
export interface KeptImage {
  /** Both tell it from other images; without a hyphen. */
  readonly data: string;
  readonly name: string;
  /** All that it is made by: another one takes the place of what is kept. */
  readonly recipe: readonly string[];
  /** Writes it to a path. */
  readonly make: (path: string) => void;
}

/** Resolves to the path of the image. */
export async function keptImage({ data, name, recipe, make }: KeptImage): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(recipe)).digest('hex').slice(0, 16);
  const file = `${data}-${hash}-${name}`;
  await withLock(join(cacheFolder(), 'locks', `image-${data}-${name}`), async () => {
    if (existsSync(join(folder, file))) return;
    await mkdir(folder, { recursive: true });
    const unfinished = await mkdtemp(join(folder, '.unfinished-'));
    try {
      make(join(unfinished, name));
      await removeOthers(data, name);
      await rename(join(unfinished, name), join(folder, file));
    } finally {
      await rm(unfinished, { recursive: true, force: true });
    }
  });
  return join(folder, file);
}

/** Removes what was made by other recipes. */
async function removeOthers(data: string, name: string): Promise<void> {
  const others = (await readdir(folder)).filter((each) => each.startsWith(`${data}-`) && each.endsWith(`-${name}`));
  await Promise.all(others.map((other) => rm(join(folder, other), { force: true })));
}
