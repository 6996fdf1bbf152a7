import type { DiskFormatDriver } from '../driver.ts';
import { signature } from '../signature.ts';
import { describeQcow2 } from './describe.ts';
import { HEADER_AREA, parseHeader } from './header.ts';
import { openQcow2 } from './image.ts';

/** QEMU's copy-on-write disk, versions 2 and 3. */
export const qcow2 = {
  name: 'qcow2',
  qemuName: 'qcow2',
  signature: signature('QFI\xfb'),
  open: openQcow2,
  describe: ({ head }) => describeQcow2(head),
  selfContained: { length: HEADER_AREA, check: parseHeader },
} as const satisfies DiskFormatDriver;
