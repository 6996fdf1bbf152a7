import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { run } from '../../cluster/commands.ts';
import { cacheFolder } from '../../cluster/folders.ts';
import { withLock } from '../../cluster/lock.ts';

/** The daemon that oVirt's hosts run, from PyPI, where it is only as source: pip compiles one file of C. */
const IMAGEIO = 'ovirt-imageio==2.5.1';
/** What is installed for a program, and what that needs besides Python's headers and a C compiler. */
const programs = {
  'ovirt-imageio': { packages: [IMAGEIO], needs: '' },
  // The SDK is a binding of libxml2.
  'ovirt-img': { packages: [IMAGEIO, 'ovirt-engine-sdk-python==4.6.3'], needs: ', and those of libxml2 (libxml2-dev)' },
} as const;

/** How one of the programs of ovirt-imageio is run. */
export interface ImageioProgram {
  readonly program: string;
  readonly args: readonly string[];
}

/**
 * Returns how to run `ovirt-imageio` or `ovirt-img`, which is installed into the cache if no checkout has done so.
 *
 * @throws Error where Python or a compiler is missing
 */
export async function imageioProgram(name: keyof typeof programs): Promise<ImageioProgram> {
  const { packages } = programs[name];
  const folder = join(cacheFolder(), 'parts', packages.join('-').replaceAll('==', '-'));
  const bin = (file: string): string => join(folder, 'bin', file);
  // Its programs name the folder in which they were installed, and so are given to its Python.
  const wanted = { program: bin('python3'), args: [bin(name)] };
  if (await exists(bin(name))) return wanted;
  await mkdir(dirname(folder), { recursive: true });
  await withLock(`${folder}.lock`, async () => {
    if (await exists(bin(name))) return;
    const work = await mkdtemp(join(dirname(folder), `.${name}-`));
    try {
      await install(name, work);
      await rename(work, folder);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  });
  return wanted;
}

async function install(name: keyof typeof programs, folder: string): Promise<void> {
  const { packages, needs } = programs[name];
  console.error(`installing ${packages.join(' and ')} from PyPI, once: less than a minute`);
  try {
    await run('python3', ['-m', 'venv', folder]);
  } catch (error) {
    throw new Error('python3 -m venv does not work: install python3-venv', { cause: error });
  }
  try {
    const python = join(folder, 'bin', 'python3');
    await run(python, ['-m', 'pip', 'install', '--disable-pip-version-check', '-q', ...packages]);
  } catch (error) {
    const reason = `${name} cannot be installed: it needs a C compiler and the headers of Python (python3-dev)${needs}`;
    throw new Error(reason, { cause: error });
  }
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
