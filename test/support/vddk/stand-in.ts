import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { standInLibrary } from './compiled.ts';

/** A function of the library that can be made to fail, or to take long. */
export type LibraryCall = 'InitEx' | 'ConnectEx' | 'Open' | 'GetInfo' | 'Read' | 'QueryAllocatedBlocks';

/** What the library wants to be given; what is left out may be anything. */
export interface Wanted {
  user?: string;
  password?: string;
  thumbprint?: string;
}

/** A folder with the stand-in for VMware's library, as an image brings it, and the disks that it reads. */
export class StandInLibrary {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** @param parent an existing folder, in which its own is made */
  static async create(parent: string, wanted: Wanted = {}): Promise<StandInLibrary> {
    const folder = await mkdtemp(join(parent, 'vmware-vix-disklib-distrib-'));
    for (const name of ['lib64', 'disks', 'control']) await mkdir(join(folder, name));
    await copyFile(await standInLibrary(), join(folder, 'lib64', 'libvixDiskLib.so.8'));
    await writeFile(join(folder, 'control', 'calls'), '');
    const library = new StandInLibrary(folder);
    await library.want(wanted);
    return library;
  }

  async want(wanted: Wanted): Promise<void> {
    const lines = Object.entries(wanted).map(([name, value]) => `${name}=${String(value)}\n`);
    await writeFile(join(this.folder, 'stand-in.conf'), lines.join(''));
  }

  /** Path of the raw file for a disk, as it is or as it was in a snapshot; its folder is made. */
  async disk(path: string, snapshot?: string): Promise<string> {
    const file = join(this.folder, 'disks', snapshot === undefined ? path : `${path}@${snapshot}`);
    await mkdir(dirname(file), { recursive: true });
    return file;
  }

  /** Makes a call fail with a code of VixError, always or so many times. */
  async fail(call: LibraryCall, code: number, times?: number): Promise<void> {
    await writeFile(join(this.folder, 'control', `fail-${call}`), `${code} ${times ?? ''}`);
  }

  /** Makes a call take so many milliseconds. */
  async delay(call: LibraryCall, milliseconds: number): Promise<void> {
    await writeFile(join(this.folder, 'control', `delay-${call}`), `${milliseconds}`);
  }

  /** Lets all calls succeed at once, and forgets those that there were. */
  async reset(): Promise<void> {
    await rm(join(this.folder, 'control'), { recursive: true });
    await mkdir(join(this.folder, 'control'));
    await writeFile(join(this.folder, 'control', 'calls'), '');
  }

  /** The calls that there were, each as its name and its parameters. */
  async calls(call?: string): Promise<string[]> {
    const lines = (await readFile(join(this.folder, 'control', 'calls'), 'utf8')).split('\n').filter(Boolean);
    return lines.filter((line) => call === undefined || line.startsWith(`${call} `));
  }
}
