import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { run } from '../../cluster/commands.ts';
import { cacheFolder } from '../../cluster/folders.ts';
import { withLock } from '../../cluster/lock.ts';

/** The daemon that oVirt's hosts run, from PyPI, where it is only as source: pip compiles one file of C. */
const VERSION = '2.5.1';

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
export async function imageioProgram(name: 'ovirt-imageio' | 'ovirt-img'): Promise<ImageioProgram> {
  const folder = join(cacheFolder(), 'parts', `ovirt-imageio-${VERSION}`);
  const bin = (file: string): string => join(folder, 'bin', file);
  // Its programs name the folder in which they were installed, and so are given to its Python.
  const wanted = { program: bin('python3'), args: [bin(name)] };
  if (await exists(bin(name))) return wanted;
  await mkdir(dirname(folder), { recursive: true });
  await withLock(`${folder}.lock`, async () => {
    if (await exists(bin(name))) return;
    const work = await mkdtemp(join(dirname(folder), '.ovirt-imageio-'));
    try {
      await install(work);
      await rename(work, folder);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  });
  return wanted;
}

async function install(folder: string): Promise<void> {
  console.error(`installing ovirt-imageio ${VERSION} from PyPI, once: less than a minute`);
  try {
    await run('python3', ['-m', 'venv', folder]);
  } catch (error) {
    throw new Error('python3 -m venv does not work: install python3-venv', { cause: error });
  }
  try {
    const python = join(folder, 'bin', 'python3');
    await run(python, ['-m', 'pip', 'install', '--disable-pip-version-check', '-q', `ovirt-imageio==${VERSION}`]);
  } catch (error) {
    throw new Error(
      'ovirt-imageio cannot be installed: it needs a C compiler and the headers of Python (python3-dev)',
      {
        cause: error,
      },
    );
  }
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
