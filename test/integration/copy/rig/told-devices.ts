import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeBlockRanges } from '../../../../src/protocol/block-ranges.ts';
import type { RunningRole } from '../../support/running-role.ts';
import { CloneRig } from './clone-rig.ts';
import { sh } from './disks.ts';

export const MEBIBYTE = 1024 * 1024;

/** Ranges of a device, in MiB. */
export type Ranges = readonly (readonly [at: number, length: number])[];

/** What a driver tells of the source. */
export type Told = 'allocated-ranges' | 'changed-ranges';

/** Two devices, of one of which a driver tells. */
export class ToldDevices {
  readonly rig: CloneRig;
  readonly source: string;
  readonly target: string;
  readonly #size: number;

  /** @param size of both devices in MiB */
  static async of(size: number): Promise<ToldDevices> {
    return new ToldDevices(await CloneRig.create(), size);
  }

  private constructor(rig: CloneRig, size: number) {
    this.rig = rig;
    this.#size = size;
    this.source = rig.devices.attach('source.raw', size);
    this.target = rig.devices.attach('target.raw', size);
  }

  /** The file behind a device. */
  file(name: 'source' | 'target'): string {
    return this.rig.devices.file(`${name}.raw`);
  }

  /** Writes to a device, past its cache. */
  write(ranges: Ranges, { device = this.source, from = '/dev/urandom' } = {}): void {
    for (const [at, length] of ranges) {
      sh(
        'dd if="$1" of="$2" bs=1M seek="$3" count="$4" conv=notrunc oflag=direct iflag=fullblock status=none',
        '/',
        from,
        device,
        String(at),
        String(length),
      );
    }
  }

  /** Has the next source pod told of ranges. */
  async tell(told: Told, ranges: Ranges, capacity = this.#size): Promise<void> {
    const text = encodeBlockRanges({
      capacity: capacity * MEBIBYTE,
      ranges: ranges.map(([at, length]) => ({ offset: at * MEBIBYTE, length: length * MEBIBYTE })),
    });
    await this.tellText(told, text);
  }

  async tellText(told: Told, text: string): Promise<void> {
    await writeFile(join(this.rig.directory, 'client-tls', told), text);
  }

  startServer({ holdsBase = false, port }: { holdsBase?: boolean; port?: number } = {}): RunningRole {
    const settings = { blockDevice: this.target, ...(port !== undefined && { port }) };
    return this.rig.startServer({ volumeMode: 'Block' }, settings, { holdsBase });
  }

  startSource(port: number): RunningRole {
    return this.rig.startSource({ volumeMode: 'Block' }, { port, blockDevice: this.source });
  }

  /** @throws where the devices differ */
  compare(): void {
    execFileSync('cmp', [this.source, this.target]);
  }

  async dispose(): Promise<void> {
    await this.rig.dispose();
  }
}
