import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unpackedPackage } from './unpacked-package.ts';

/** Installed, it would displace the machine's own busybox. */
export const BUSYBOX_PACKAGE = 'busybox-static';

const unpacked = () => unpackedPackage(BUSYBOX_PACKAGE);

/**
 * Path of a busybox that runs in an image without anything else: that of the machine, or that of
 * the package that has been unpacked. Debian's package `busybox` has the same path and needs its interpreter.
 */
export async function staticBusybox(): Promise<string | undefined> {
  for (const path of ['/bin/busybox', join(unpacked(), 'bin/busybox'), join(unpacked(), 'usr/bin/busybox')]) {
    const program = await readFile(path).catch(() => undefined);
    if (program && isStatic(program)) {
      return path;
    }
  }
  return undefined;
}

/**
 * Whether an ELF program of this machine's kind asks for no interpreter: it has no PT_INTERP among its program
 * headers. System V ABI, chapter 5; 64 bits, little-endian.
 */
export function isStatic(program: Buffer): boolean {
  const magic = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
  if (program.length < 64 || !program.subarray(0, magic.length).equals(magic)) {
    return false;
  }
  const interpreter = 3;
  const headers = Number(program.readBigUInt64LE(32));
  const [size, count] = [program.readUInt16LE(54), program.readUInt16LE(56)];
  const kinds = Array.from({ length: count }, (_, index) => program.readUInt32LE(headers + index * size));
  return !kinds.includes(interpreter);
}
