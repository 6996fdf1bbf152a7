import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../cluster/commands.ts';
import { cacheFolder, repository } from '../../cluster/folders.ts';
import { withLock } from '../../cluster/lock.ts';

const plugin = {
  name: 'nbdkit-diskpress-vddk-plugin.so',
  sources: join(repository, 'native/vddk'),
  // As in the Dockerfile.
  options: ['-std=c11', '-O2', '-Wall', '-Wextra', '-Werror'],
  libraries: ['-ldl', '-lpthread'],
};
const standIn = {
  name: 'libvixDiskLib.so.8',
  sources: join(import.meta.dirname, 'library'),
  options: ['-std=gnu11', '-O2', '-Wall', '-Wextra', '-Werror'],
  libraries: ['-lpthread'],
};
/** Path of nbdkit's plugin for VDDK, compiled as it is for the image. */
export const vddkPlugin = (): Promise<string> => compiled(plugin);

/** Path of the stand-in for VMware's library. */
export const standInLibrary = (): Promise<string> => compiled(standIn);

/** Compiles a shared object of all sources in a folder, unless an earlier run did; returns its path. */
async function compiled({ name, sources, options, libraries }: typeof plugin): Promise<string> {
  const files = (await readdir(sources)).sort().map((file) => join(sources, file));
  const hash = createHash('sha256').update(JSON.stringify([name, options, libraries, process.arch]));
  for (const file of files) hash.update(file).update(await readFile(file));
  const folder = join(cacheFolder(), 'native', hash.digest('hex').slice(0, 16));
  const result = join(folder, name);
  await mkdir(folder, { recursive: true });
  return withLock(`${folder}.lock`, async () => {
    if (await stat(result).catch(() => undefined)) return result;
    const units = files.filter((file) => file.endsWith('.c'));
    const unfinished = `${result}.new`;
    await rm(unfinished, { force: true });
    await run('cc', [...options, '-fPIC', '-shared', '-o', unfinished, ...units, ...libraries]);
    await rename(unfinished, result);
    return result;
  });
}
