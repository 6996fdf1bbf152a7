import type { DiskFormatDriver } from '../driver.ts';
import { decodeMapped } from '../mapped/decode.ts';
import { decodeRaw } from '../raw/decode.ts';
import { signature } from '../signature.ts';
import { fixedVhdFooter, withoutFixedVhdFooter } from './fixed.ts';
import { beginsWithFooter, COOKIE, describeVhd, FOOTER_LENGTH, refuseParent } from './footer.ts';
import { openVhd } from './image.ts';

const name = 'vhd';

/** Virtual PC's hard disk. A fixed one is a raw disk with a footer; a dynamic one begins with a copy of its footer. */
export const vhd = {
  name,
  qemuName: 'vpc',
  signature: signature(COOKIE),
  footer: { find: fixedVhdFooter, leaveOut: (raw, size) => withoutFixedVhdFooter(raw, size, 'may have one') },
  open: openVhd,
  decode: async (reader, options) => {
    const readHead = (length: number): Promise<Buffer> => reader.peek(length);
    if (beginsWithFooter(await readHead(FOOTER_LENGTH)))
      return decodeMapped(name, await openVhd(readHead), reader, options);
    return withoutFixedVhdFooter(decodeRaw(reader, options.size, options.from), options.size, 'has one');
  },
  describe: ({ head }) => describeVhd(head),
  selfContained: { length: FOOTER_LENGTH, check: refuseParent },
} as const satisfies DiskFormatDriver;
