import type { DiskFormatDriver } from '../driver.ts';
import { signature } from '../signature.ts';
import { describeVhdx } from './describe.ts';
import { openVhdx } from './image.ts';

/** Hyper-V's disk. Images with a parent are refused by qemu-img itself. */
export const vhdx = {
  name: 'vhdx',
  qemuName: 'vhdx',
  signature: signature('vhdxfile'),
  open: openVhdx,
  describe: ({ ranges }) => (ranges === undefined ? {} : describeVhdx(ranges)),
  selfContained: undefined,
} as const satisfies DiskFormatDriver;
