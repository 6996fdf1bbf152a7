import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './commands.ts';
import { cacheFolder } from './folders.ts';

/** Where the files of a Debian package lie that has been unpacked and not installed. */
export const unpackedPackage = (name: string): string => join(cacheFolder(), name);

/** Takes the files out of a Debian package without installing it. */
export async function unpackPackage(name: string): Promise<void> {
  await mkdir(cacheFolder(), { recursive: true });
  const folder = await mkdtemp(`${unpackedPackage(name)}.`);
  try {
    await run('apt-get', ['download', '-q', name], { cwd: folder });
    const [archive] = await readdir(folder);
    await run('dpkg-deb', ['--extract', archive!, 'root'], { cwd: folder });
    await rm(unpackedPackage(name), { recursive: true, force: true });
    await rename(join(folder, 'root'), unpackedPackage(name));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
