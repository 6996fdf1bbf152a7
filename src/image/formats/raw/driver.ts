import type { DiskFormatDriver } from '../driver.ts';
import { decodeRaw } from './decode.ts';

/** A raw disk. Anything that looks like nothing else, and may be a disk, counts as one. */
export const raw = {
  name: 'raw',
  qemuName: 'raw',
  signature: undefined,
  open: undefined,
  decode: async (reader, { size, from }) => decodeRaw(reader, size, from),
  describe: ({ size }) => ({ virtualSize: size }),
  selfContained: undefined,
} as const satisfies DiskFormatDriver;
