import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { attachLoopDevice } from '../../../cluster/loop-device.ts';

/** Runs a shell script in a folder; returns its output. */
export function sh(script: string, directory: string, ...parameters: string[]): string {
  return execFileSync('bash', ['-ec', script, 'bash', ...parameters], { cwd: directory, encoding: 'latin1' });
}

/** Makes a disk of which the larger part is holes: some data at the start, in the middle, and at the very end. */
export function writeSparseDisk(path: string, mebibytes: number): void {
  sh(
    `truncate -s 0 "$1"; truncate -s "$2M" "$1"
     write() { dd if=/dev/urandom of="$1" bs=4096 seek="$2" count="$3" conv=notrunc status=none; }
     write "$1" 0 3; write "$1" $(($2 * 100)) 600; write "$1" $(($2 * 180 + 7)) 1; write "$1" $(($2 * 256 - 1)) 1`,
    '/',
    path,
    String(mebibytes),
  );
}

/** Makes a disk without holes, large enough for its copying to be caught in the middle. */
export function writeLargeDisk(path: string, mebibytes = 128): void {
  sh(
    `dd if=/dev/urandom of="$1.part" bs=1M count=16 status=none
     for i in $(seq $(($2 / 16))); do cat "$1.part"; done > "$1"; rm "$1.part"`,
    '/',
    path,
    String(mebibytes),
  );
}

/** Block devices over sparse files in a folder. Root's rights are needed. */
export class LoopDevices {
  readonly #directory: string;
  readonly #devices: string[] = [];

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** The file behind a device. */
  file(name: string): string {
    return join(this.#directory, name);
  }

  /** Makes a device of the given size; returns its path. */
  attach(name: string, mebibytes: number): string {
    sh('truncate -s "$2M" "$1"', '/', this.file(name), String(mebibytes));
    const device = attachLoopDevice(this.file(name));
    this.#devices.push(device);
    return device;
  }

  detach(): void {
    for (const device of this.#devices.splice(0)) execFileSync('losetup', ['--detach', device]);
  }
}
