import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execPath, pid } from 'node:process';
import type { Readable } from 'node:stream';
import { repository } from '../../cluster/folders.ts';
import { LoopDevices, sh } from '../copy/rig/disks.ts';
import { LimitedGroup } from './limited-group.ts';
import { startNginx } from './nginx.ts';
import { run, type Server } from './processes.ts';

export interface Limits {
  /** Bytes that the importer may have, page cache included. */
  readonly memory: number;
  /** Bytes a second that its volume takes. */
  readonly rate: number;
  /** MiB of its volume. */
  readonly volume: number;
}

/** The importer, as it is shipped, with little memory and a slow volume. Root's rights are needed. */
export class LimitedImporter {
  /** For what a test makes. */
  readonly directory: string;
  /** What the importer is served from. */
  readonly root: string;
  readonly #devices: LoopDevices;
  #volume: string | undefined;
  #group: LimitedGroup | undefined;
  #server: Server | undefined;

  private constructor(directory: string) {
    this.directory = directory;
    this.root = join(directory, 'www');
    this.#devices = new LoopDevices(directory);
  }

  /** Undefined, with the cause on standard output, where this machine has no control groups or loop devices. */
  static async create(name: string, limits: Limits): Promise<LimitedImporter | undefined> {
    const importer = new LimitedImporter(await mkdtemp(join(tmpdir(), `diskpress-${name}-`)));
    try {
      await importer.#mount(name, limits);
    } catch (error) {
      console.log(`    left out, because they need control groups and loop devices: ${String(error)}`);
      await importer.remove();
      return undefined;
    }
    await mkdir(importer.root);
    importer.#server = await startNginx({ directory: importer.directory, root: importer.root });
    // What translating TypeScript takes is not the importer's.
    await run(execPath, [join(repository, 'build.ts')], { cwd: repository });
    return importer;
  }

  async #mount(name: string, { memory, rate, volume }: Limits): Promise<void> {
    this.#group = await LimitedGroup.create(`diskpress-${name}-${pid}`, memory);
    const device = this.#devices.attach('volume', volume);
    await this.#group.slowDown(device, rate);
    const folder = join(this.directory, 'volume.mounted');
    await mkdir(folder);
    sh('mkfs.xfs -q -K "$1"; mount "$1" "$2"', '/', device, folder);
    this.#volume = folder;
  }

  /** Where the disk comes to be. */
  get target(): string {
    return join(this.#volume!, 'disk.img');
  }

  /** Imports a file of `root` to the target. */
  start(name: string, env: NodeJS.ProcessEnv = {}): ChildProcess & { stderr: Readable } {
    const url = `http://127.0.0.1:${this.#server?.port}/${name}`;
    const args = [join(repository, 'dist/main.js'), 'import', url, this.target];
    return spawn(...this.#group!.command(execPath, args), {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, ...env },
    });
  }

  /** The most that all imports had, in bytes, page cache included. */
  peak(): Promise<number> {
    return this.#group!.peak();
  }

  async remove(): Promise<void> {
    await this.#server?.stop();
    if (this.#volume) sh('umount "$1"', '/', this.#volume);
    await this.#group?.remove();
    this.#devices.detach();
    await rm(this.directory, { recursive: true, force: true });
  }
}
