import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { createControlGroups, removeControlGroups } from '../../cluster/control-groups.ts';

const ROOT = '/sys/fs/cgroup';

/**
 * A control group whose processes may have only so much memory together, page cache included. Root's rights are needed.
 */
export class LimitedGroup {
  readonly #name: string;
  readonly #memory: { folder: string; version: 1 | 2 };
  #slowed: (() => Promise<void>) | undefined;

  private constructor(name: string, memory: { folder: string; version: 1 | 2 }) {
    this.#name = name;
    this.#memory = memory;
  }

  /** @throws Error where this machine has no such groups */
  static async create(name: string, bytes: number): Promise<LimitedGroup> {
    await createControlGroups(name);
    const limits = [
      { version: 2, folder: join(ROOT, name), file: 'memory.max' },
      { version: 1, folder: join(ROOT, 'memory', name), file: 'memory.limit_in_bytes' },
    ] as const;
    const limit = limits.find(({ folder, file }) => existsSync(join(folder, file)));
    if (limit === undefined) {
      await removeControlGroups(name);
      throw new Error(`there are no control groups for memory in ${ROOT}`);
    }
    await writeFile(join(limit.folder, limit.file), String(bytes));
    return new LimitedGroup(name, limit);
  }

  /** A program and its arguments, run in this group. */
  command(program: string, args: readonly string[]): [program: string, args: string[]] {
    const script = 'echo $$ >"$0" && exec "$@"';
    return ['sh', ['-c', script, join(this.#memory.folder, 'cgroup.procs'), program, ...args]];
  }

  /** The most that its processes had together, in bytes. */
  async peak(): Promise<number> {
    const { folder, version } = this.#memory;
    const file = version === 2 ? 'memory.peak' : 'memory.max_usage_in_bytes';
    return Number(await readFile(join(folder, file), 'latin1'));
  }

  /**
   * Makes a device slow: for this group, or with version 1, which does not know whose pages it writes back, for all.
   *
   * @param device such as /dev/loop0
   * @param rate of writing, bytes a second
   */
  async slowDown(device: string, rate: number): Promise<void> {
    const number = (await readFile(`/sys/block/${basename(device)}/dev`, 'latin1')).trim();
    const { folder, version } = this.#memory;
    const file = version === 2 ? join(folder, 'io.max') : join(ROOT, 'blkio', 'blkio.throttle.write_bps_device');
    const line = (limit: number | string) => (version === 2 ? `${number} wbps=${limit}` : `${number} ${limit}`);
    await writeFile(file, line(rate));
    this.#slowed = () => writeFile(file, line(version === 2 ? 'max' : 0));
  }

  async remove(): Promise<void> {
    await this.#slowed?.();
    await removeControlGroups(this.#name);
  }
}
