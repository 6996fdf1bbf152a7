import type { DiskFormatDriver } from '../driver.ts';
import type { ImageDetails } from '../image-details.ts';
import { imageFailures } from '../image-failures.ts';
import { signature } from '../signature.ts';

/** Length in bytes, by QEMU's docs/interop/qed_spec.txt. */
const HEADER_LENGTH = 64;
const FEATURES_AT = 16;
const HAS_BACKING_FILE = 1;

const failures = imageFailures('QED');

/** QEMU Enhanced Disk, which is converted by qemu-img. */
export const qed = {
  name: 'qed',
  qemuName: 'qed',
  signature: signature('QED\0'),
  open: undefined,
  describe: ({ head }) => describeQed(head),
  selfContained: {
    length: HEADER_LENGTH,
    check: (head) => {
      if (head.length >= FEATURES_AT + 8 && hasBackingFile(head)) throw failures.incomplete();
    },
  },
} as const satisfies DiskFormatDriver;

function describeQed(head: Buffer): ImageDetails {
  if (head.length < HEADER_LENGTH) return {};
  return {
    virtualSize: Number(head.readBigUInt64LE(48)),
    clusterSize: head.readUInt32LE(4),
    backingFile: hasBackingFile(head) ? 'present' : undefined,
  };
}

function hasBackingFile(head: Buffer): boolean {
  return (head.readUInt32LE(FEATURES_AT) & HAS_BACKING_FILE) !== 0;
}
