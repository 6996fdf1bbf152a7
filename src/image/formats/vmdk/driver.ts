import type { DiskFormatDriver } from '../driver.ts';
import { decodeMapped } from '../mapped/decode.ts';
import { signature } from '../signature.ts';
import { describeVmdk } from './describe.ts';
import { checkDescriptor, DESCRIPTOR_AREA, readHeader } from './descriptor.ts';
import { parseHeader } from './header.ts';
import { mappedVmdk } from './image.ts';
import { decodeStreamOptimized } from './stream.ts';

const name = 'vmdk';

/** VMware's disk in one sparse file. Compressed ones are made to be read in order. */
export const vmdk = {
  name,
  qemuName: 'vmdk',
  signature: signature('KDMV'),
  open: async (readHead) => mappedVmdk(await readHeader(readHead)),
  decode: async (reader, options) => {
    const header = await readHeader((length) => reader.peek(length));
    if (header.isCompressed) return decodeStreamOptimized(reader, header);
    return decodeMapped(name, mappedVmdk(header), reader, options);
  },
  describe: ({ head }) => describeVmdk(head),
  selfContained: { length: DESCRIPTOR_AREA, check: (head) => checkDescriptor(head, parseHeader(head)) },
} as const satisfies DiskFormatDriver;
