import type { DiskFormatDriver } from '../driver.ts';
import { signature } from '../signature.ts';
import { describeQcow, HEADER_AREA, parseHeader } from './header.ts';
import { openQcow } from './image.ts';

/** QEMU's first copy-on-write format, version 1, which begins like qcow2. */
export const qcow = {
  name: 'qcow',
  qemuName: 'qcow',
  signature: signature('QFI\xfb\0\0\0\x01'),
  open: openQcow,
  describe: ({ head }) => describeQcow(head),
  selfContained: { length: HEADER_AREA, check: parseHeader },
} as const satisfies DiskFormatDriver;
