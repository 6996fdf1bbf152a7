import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { run } from '../../cluster/commands.ts';
import { vcenterBinary } from '../../cluster/parts.ts';
import { spawnBound } from '../bound-child.ts';
import { StandInLibrary } from './stand-in.ts';

/** What the simulator tells when it is ready. */
interface Greeting {
  url: string;
  thumbprint: string;
  machine: string;
  instanceUuid: string;
  biosUuid: string;
  backingFile: string;
}

/** A fault that calls can be made to fail with. */
export type Fault = 'NotAuthenticated' | 'NoPermission' | 'FileFault' | 'HostCommunication';

export const VCENTER_USER = 'administrator@vsphere.local';
export const VCENTER_PASSWORD = 'p<a&ss" wörd';

/** The disk of the machine, before there are snapshots. */
export const VCENTER_DISK = '[LocalDS_0] DC0_H0_VM0/disk1.vmdk';

/** The simulator of vCenter, with one machine, the disk of which the stand-in library reads. */
export class Vcenter {
  readonly greeting: Greeting;
  readonly library: StandInLibrary;
  readonly #child: ChildProcess;
  readonly #lines: Interface;
  readonly #control: string;
  /** The file that the machine writes to, now. */
  #file: string;
  #snapshots = 0;

  private constructor(
    greeting: Greeting,
    library: StandInLibrary,
    child: ChildProcess,
    lines: Interface,
    control: string,
  ) {
    this.greeting = greeting;
    this.library = library;
    this.#child = child;
    this.#lines = lines;
    this.#control = control;
    this.#file = greeting.backingFile;
  }

  /**
   * @param parent an existing folder for its files
   * @param disk path of a raw file with the content of the machine's disk
   * @param address on which it listens
   */
  static async start(parent: string, disk: string, address = '127.0.0.1'): Promise<Vcenter> {
    const library = await StandInLibrary.create(parent);
    await copySparsely(disk, await library.disk(VCENTER_DISK));
    const control = await mkdtemp(join(parent, 'vcenter-'));
    await writeFile(join(control, 'calls'), '');
    const options = {
      address: `${address}:0`,
      user: VCENTER_USER,
      password: VCENTER_PASSWORD,
      disks: join(library.folder, 'disks'),
      control,
    };
    const program = await vcenterBinary();
    const parameters = Object.entries(options).flatMap(([name, value]) => [`-${name}`, value]);
    const child = spawnBound(program, parameters, { stdio: ['pipe', 'pipe', 'ignore'] });
    const lines = createInterface({ input: child.stdout! });
    const [greeting] = (await once(lines, 'line')) as [string];
    const vcenter = new Vcenter(JSON.parse(greeting) as Greeting, library, child, lines, control);
    const { thumbprint } = vcenter.greeting;
    await library.want({ user: VCENTER_USER, password: VCENTER_PASSWORD, thumbprint });
    return vcenter;
  }

  /** Path of the raw file that the machine writes to. */
  disk(): Promise<string> {
    return this.library.disk(this.#file);
  }

  /** Takes a snapshot, which keeps the disk as it is; the machine goes on in a file of another name. */
  async snapshot(name: string): Promise<string> {
    const id = await this.#obey(`snapshot ${name}`);
    const before = await this.disk();
    await copySparsely(before, await this.library.disk(this.#file, id));
    this.#snapshots += 1;
    this.#file = VCENTER_DISK.replace('.vmdk', `-${String(this.#snapshots).padStart(6, '0')}.vmdk`);
    await copySparsely(before, await this.disk());
    return id;
  }

  async removeSnapshot(id: string): Promise<void> {
    await this.#obey(`remove ${id}`);
  }

  /** Has no change ids from now on. */
  async forgetChanges(): Promise<void> {
    await this.#obey('forget-changes');
  }

  async fail(method: string, fault: Fault, times?: number): Promise<void> {
    await writeFile(join(this.#control, `fail-${method}`), `${fault} ${times ?? ''}`);
  }

  /** Lets all calls succeed, and forgets those that there were. */
  async reset(): Promise<void> {
    await rm(this.#control, { recursive: true });
    await mkdir(this.#control);
    await writeFile(join(this.#control, 'calls'), '');
    await this.library.reset();
  }

  /** The methods that were called. */
  async calls(method?: string): Promise<string[]> {
    const lines = (await readFile(join(this.#control, 'calls'), 'utf8')).split('\n').filter(Boolean);
    return lines.filter((line) => method === undefined || line === method);
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.stdin?.end();
    await ended;
  }

  async #obey(command: string): Promise<string> {
    const answered = once(this.#lines, 'line') as Promise<[string]>;
    this.#child.stdin?.write(`${command}\n`);
    const answer = JSON.parse((await answered)[0]) as { snapshot?: string; error?: string };
    if (answer.snapshot === undefined) throw new Error(`${command}: ${answer.error}`);
    return answer.snapshot;
  }
}

/** Copies a file with its holes, which are what the library tells as not allocated. */
async function copySparsely(from: string, to: string): Promise<void> {
  await run('cp', ['--sparse=always', from, to]);
}
