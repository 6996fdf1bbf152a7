import type { DiskFormatDriver } from '../driver.ts';
import { signature } from '../signature.ts';
import { describeVdi, HEADER_LENGTH, refuseParent } from './header.ts';
import { openVdi } from './image.ts';

const SIGNATURE_AT = 0x40;

/** VirtualBox's disk image. */
export const vdi = {
  name: 'vdi',
  qemuName: 'vdi',
  signature: signature('\x7f\x10\xda\xbe', SIGNATURE_AT),
  open: openVdi,
  describe: ({ head }) => describeVdi(head),
  selfContained: { length: HEADER_LENGTH, check: refuseParent },
} as const satisfies DiskFormatDriver;
