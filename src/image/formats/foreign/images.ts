import { isIn } from '../signature.ts';
import { named, type NamedSignature } from './named-signature.ts';

/** A disk, or a part of one, in a form that cannot be read here. */
export interface ForeignImage extends NamedSignature {
  /** What the user can do about it, where that does not follow from what it is. */
  advice?: string;
}

/**
 * Start of the text that describes a disk whose data is in other files; white space and a byte order mark may precede
 * it.
 */
const DESCRIPTOR_START = '# Disk DescriptorFile';

const BACKUP = 'restore it to a disk with the program that wrote it first';

function image(what: string, bytes: string, advice?: string): ForeignImage {
  return { ...named(what, bytes), ...(advice === undefined ? {} : { advice }) };
}

function vmware(bytes: string): ForeignImage {
  return image('a VMware disk of an old kind or in several files', bytes, 'convert it with qemu-img convert first');
}

/** Images in which a guest would find no disk if they were treated as raw. */
const foreignImages: ForeignImage[] = [
  // A sparse extent of an ESX server.
  vmware('COWD'),
  image(
    'the delta of a VMware snapshot (seSparse) and incomplete without its base',
    '\xbe\xba\xfe\xca\0\0\0\0',
    'consolidate the snapshot, or export the virtual machine, first',
  ),
  image('a backup of Proxmox VE (VMA)', 'VMA\0', 'take its disk out with vma extract first'),
  image('an image of files for Windows (WIM), and no disk', 'MSWIM\0\0\0', 'apply it to a disk first'),
  image('an image of files for Windows (WIM), and no disk', 'WLPWM\0\0\0', 'apply it to a disk first'),
  image('a forensic image (EWF, E01)', 'EVF\t\r\n\xff\0', 'write its disk to a file with ewfexport first'),
  image('a forensic image (EWF2, Ex01)', 'EVF2\r\n\x81\0', 'write its disk to a file with ewfexport first'),
  image('a forensic archive (L01)', 'LVF\t\r\n\xff\0'),
  image('a forensic image (AFF)', 'AFF10\r\n\0', 'write its disk to a file with affconvert first'),
  image('a Bochs disk', 'Bochs Virtual HD Image', 'convert it with qemu-img convert -f bochs first'),
  image(
    'a compressed loop image (cloop)',
    '#!/bin/sh\n#V2.0 Format\n',
    'convert it with qemu-img convert -f cloop first',
  ),
  image('a compressed loop image (cloop)', '#!/bin/sh\n#V3.0 Format\n', 'unpack it with extract_compressed_fs first'),
  image('a sparse image of Android', '\x3a\xff\x26\xed'),
  image('a Parallels disk', 'WithoutFreeSpace'),
  image('a Parallels disk', 'WithouFreSpacExt'),
  image('an encrypted disk image of macOS (DMG)', 'encrcdsa', 'convert it with hdiutil convert -format UDTO first'),
  image('a sparse disk image of macOS', 'sprs', 'convert it with hdiutil convert -format UDTO first'),
  image('a backup of a file system (partclone)', 'partclone-image', BACKUP),
  image('a backup of a file system (Partimage)', 'PaRtImAgE-VoLuMe', BACKUP),
  image('a backup of a file system (ntfsclone)', '\0ntfsclone-image', BACKUP),
  image('a backup of a file system (FSArchiver)', 'FsArCh_', BACKUP),
  image('a backup (Acronis)', '\xce\x24\xb9\xa2\x20\0\0\0', BACKUP),
  image('a compressed CD image (ISZ)', 'IsZ!'),
  image('a compressed CD image (CISO)', 'CISO'),
  image('a compressed CD image (DAA)', 'DAA\0'),
  image('an Alcohol CD descriptor (MDS)', 'MEDIA DESCRIPTOR'),
  image(
    'a CD image with raw sectors (BIN)',
    `\0${'\xff'.repeat(10)}\0`,
    'convert it to an ISO image with bchunk first',
  ),
];

const compressions: [string, ...string[]][] = [
  ['lz4', '\x04\x22\x4d\x18', '\x02\x21\x4c\x18', '\x03\x21\x4c\x18'],
  ['lzip', 'LZIP'],
  ['lzop', '\x89LZO'],
  ['lrzip', 'LRZI'],
  ['rzip', 'RZIP'],
  ['bzip3', 'BZ3v1'],
  // The third byte is the length of the longest code, 9 to 16 bits.
  ['compress (.Z)', ...Array.from('\x89\x8a\x8b\x8c\x8d\x8e\x8f\x90', (third) => `\x1f\x9d${third}`)],
  ['LZFSE, as disk images of macOS (DMG) are', 'bvx2', 'bvxn', 'bvx1', 'bvx-'],
  ['Snappy', '\xff\x06\0\0sNaPpY'],
  ['zpaq', '7kSt\xa0\x31\x83\xd3\x8c\xb2\x28\xb0\xd3', 'zPQ\x01', 'zPQ\x02'],
  ['zstd before version 0.8', ...Array.from('\x22\x23\x24\x25\x26\x27', (first) => `${first}\xb5\x2f\xfd`)],
];

const compressed: ForeignImage[] = compressions.flatMap(([name, ...magics]) =>
  magics.map((magic) => image(`compressed with ${name}`, magic)),
);

/** Recognises, by its start, a disk image or a compression that cannot be read here. */
export function findForeignImage(head: Buffer): ForeignImage | undefined {
  if (isVmwareDescriptor(head)) return vmware(DESCRIPTOR_START);
  return [...foreignImages, ...compressed].find((kind) => isIn(head, kind));
}

function isVmwareDescriptor(head: Buffer): boolean {
  const start = head.toString('latin1', 0, 64).replace(/^[\s\xef\xbb\xbf]*/, '');
  return start.startsWith(DESCRIPTOR_START);
}
