import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../cluster/commands.ts';
import type { Ovirt } from '../../support/ovirt/ovirt.ts';
import { fileSha256 } from './file-sha256.ts';

/** A disk of a simulated engine, whose machine writes on between its snapshots. */
export class WarmDisk {
  readonly id: string;
  readonly #layers: { readonly id: string; readonly file: string }[] = [];
  readonly #ovirt: Ovirt;
  readonly #folder: string;

  /**
   * @param image qcow2 image that the disk is at first
   * @param folder for its layers
   */
  static async of(ovirt: Ovirt, id: string, image: string, folder: string): Promise<WarmDisk> {
    const disk = new WarmDisk(ovirt, id, folder);
    const file = disk.#fileOf(0);
    await copyFile(image, file);
    disk.#add(file);
    return disk;
  }

  private constructor(ovirt: Ovirt, id: string, folder: string) {
    this.#ovirt = ovirt;
    this.id = id;
    this.#folder = folder;
  }

  /** Identifier of the newest layer. */
  get newest(): string {
    return this.#layers.at(-1)?.id ?? '';
  }

  /** Lets the machine write, above a snapshot of what there was; `commands` are those of qemu-io. */
  async write(...commands: string[]): Promise<void> {
    const below = this.#layers.at(-1)?.file ?? '';
    const file = this.#fileOf(this.#layers.length);
    await run('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'qcow2', '-b', below, file]);
    await run('qemu-io', [...commands.flatMap((command) => ['-c', command]), '-f', 'qcow2', file]);
    this.#add(file);
  }

  /** SHA-256 of the disk as it is now. */
  async sha256(): Promise<string> {
    const raw = join(this.#folder, `${this.id}.raw`);
    await run('qemu-img', ['convert', '-f', 'qcow2', '-O', 'raw', this.#layers.at(-1)?.file ?? '', raw]);
    const digest = await fileSha256(raw);
    await rm(raw);
    return digest;
  }

  #fileOf(index: number): string {
    return join(this.#folder, `${this.id}-${index}.qcow2`);
  }

  #add(file: string): void {
    const number = String(this.#layers.length + 1).padStart(4, '0');
    this.#layers.push({ id: `${this.id.slice(0, -4)}${number}`.replace(/^./, 'a'), file });
    this.#ovirt.engine.addDisk({ id: this.id, layers: [...this.#layers] });
  }
}
