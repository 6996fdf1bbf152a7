import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../cluster/commands.ts';
import { cacheFolder, repository } from '../../cluster/folders.ts';
import { withLock } from '../../cluster/lock.ts';

interface Compiled {
  readonly name: string;
  /** Folders of which all sources are taken. */
  readonly sources: readonly string[];
  readonly options: readonly string[];
  readonly libraries: readonly string[];
}

const SHARED = ['-fPIC', '-shared'];
const WARNINGS = ['-Wall', '-Wextra', '-Werror'];

const plugin: Compiled = {
  name: 'nbdkit-diskpress-vddk-plugin.so',
  sources: [join(repository, 'native/vddk')],
  // As in the Dockerfile.
  options: ['-std=c11', '-O2', ...WARNINGS, ...SHARED],
  libraries: ['-ldl', '-lpthread'],
};
const standIn: Compiled = {
  name: 'libvixDiskLib.so.8',
  sources: [join(import.meta.dirname, 'library')],
  options: ['-std=gnu11', '-O2', ...WARNINGS, ...SHARED],
  libraries: ['-lpthread'],
};
const harness: Compiled = {
  name: 'harness',
  sources: [join(import.meta.dirname, 'harness'), ...plugin.sources],
  options: ['-std=gnu11', '-O1', '-g', '-fsanitize=address,undefined', '-fno-sanitize-recover=all', ...WARNINGS],
  libraries: plugin.libraries,
};
/** Path of nbdkit's plugin for VDDK, compiled as it is for the image. */
export const vddkPlugin = (): Promise<string> => compiled(plugin);

/** Path of the stand-in for VMware's library. */
export const standInLibrary = (): Promise<string> => compiled(standIn);

/** Path of a program that runs the plugin without nbdkit, under the sanitizers of addresses and undefined behaviour. */
export const sanitizedPlugin = (): Promise<string> => compiled(harness);

/** Compiles a program or shared object, unless an earlier run did; returns its path. */
async function compiled({ name, sources, options, libraries }: Compiled): Promise<string> {
  const files = (await Promise.all(sources.map(filesIn))).flat();
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
    await run('cc', [...options, '-o', unfinished, ...units, ...libraries]);
    await rename(unfinished, result);
    return result;
  });
}

async function filesIn(folder: string): Promise<string[]> {
  return (await readdir(folder)).sort().map((file) => join(folder, file));
}
