import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, constants, fstatSync, fsyncSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BlockRange, bytesIn } from '../../../src/base/block-range.ts';
import { encodeBlockRanges } from '../../../src/protocol/block-ranges.ts';
import { ALLOCATED_RANGES_FILE, CHANGED_RANGES_FILE } from '../../../src/protocol/transfer-pod.ts';
import type { CloneRig } from '../../integration/copy/rig/clone-rig.ts';
import { sh } from '../../integration/copy/rig/disks.ts';
import type { Copied } from './copy.ts';

const MEBIBYTE = 2 ** 20;
const MEGABYTE = 1e6;
const PIECE_LENGTH = 64 * 1024;
/** The disk has a MiB of data in each so many MiB: 1.4 GiB in 8 GiB. */
const STRIDE_MEBIBYTES = 5.714;
const FILE_LENGTH = 4096;
const FILES_IN_FOLDER = 1000;

/** A way to copy, and the usual tool for the same. */
export interface Case {
  readonly name: string;
  /** Whether one process has both volumes; a build that cannot do that copies with two. */
  readonly inOnePod?: true;
  /** Fills the source. @returns what is copied */
  prepare: (rig: CloneRig) => Promise<Copied>;
  reference: (rig: CloneRig, copied: Copied) => void;
  /** @throws Error where the target is not as the source is */
  verify: (rig: CloneRig, copied: Copied) => void;
  /** Empties the target. */
  clear: (rig: CloneRig, copied: Copied) => Promise<void>;
}

export interface Dimensions {
  /** Of a disk. */
  readonly mebibytes: number;
  /** In a tree. */
  readonly files: number;
}

export const cases: Readonly<Record<string, (dimensions: Dimensions) => Case>> = {
  image,
  device,
  'device-allocated': allocatedDevice,
  'device-repeated': repeatedDevice,
  tree,
  'image-one-pod': (dimensions) => inOnePod(image(dimensions)),
  'device-one-pod': (dimensions) => inOnePod(device(dimensions)),
  'device-allocated-one-pod': (dimensions) => inOnePod(allocatedDevice(dimensions)),
  'device-repeated-one-pod': (dimensions) => inOnePod(repeatedDevice(dimensions)),
  'tree-one-pod': (dimensions) => inOnePod(tree(dimensions)),
};

function inOnePod(each: Case): Case {
  return { ...each, name: `in one pod: ${each.name}`, inOnePod: true };
}

async function clearFolder({ target }: CloneRig): Promise<void> {
  await rm(target, { recursive: true });
  await mkdir(target);
}

function image({ mebibytes }: Dimensions): Case {
  return {
    name: 'disk image to disk image; cp --sparse=always, sync',
    prepare: async ({ source }) => {
      writeScattered(join(source, 'disk.img'), mebibytes);
      return { volumeMode: 'Filesystem', contentType: 'kubevirt' };
    },
    reference: ({ source, target }) =>
      sh('cp --sparse=always --reflink=never "$1/disk.img" "$2/disk.img"; sync "$2/disk.img"', '/', source, target),
    verify: ({ source, target }) =>
      sh('cmp -n "$3" "$1/disk.img" "$2/disk.img"', '/', source, target, String(mebibytes * MEBIBYTE)),
    clear: clearFolder,
  };
}

function device({ mebibytes }: Dimensions): Case {
  return {
    name: 'device to device; dd conv=sparse,fsync',
    prepare: async ({ devices }) => {
      const [source, target] = ['source.raw', 'target.raw'].map((file) => devices.attach(file, mebibytes));
      writeScattered(devices.file('source.raw'), mebibytes);
      return { volumeMode: 'Block', contentType: 'kubevirt', devices: { source: source ?? '', target: target ?? '' } };
    },
    reference: (_rig, { devices }) => {
      sh('dd if="$1" of="$2" bs=1M conv=sparse,fsync status=none', '/', devices?.source ?? '', devices?.target ?? '');
    },
    verify: (_rig, { devices }) => execFileSync('cmp', [devices?.source ?? '', devices?.target ?? '']),
    clear: async (_rig, { devices }) => {
      sh('blkdiscard "$1"', '/', devices?.target ?? '');
    },
  };
}

/** The driver tells what is allocated of the source. */
function allocatedDevice(dimensions: Dimensions): Case {
  const whole = device(dimensions);
  return {
    ...whole,
    name: 'device to device, of which what is allocated is told; dd conv=sparse,fsync',
    prepare: async (rig) => {
      const copied = await whole.prepare(rig);
      const ranges = scattered(dimensions.mebibytes);
      await tell(rig, ALLOCATED_RANGES_FILE, dimensions, ranges);
      return { ...copied, needed: bytesIn(ranges) / MEGABYTE };
    },
  };
}

/** The target holds an earlier copy, since which a hundredth of the disk has changed. */
function repeatedDevice(dimensions: Dimensions): Case {
  const whole = device(dimensions);
  const { mebibytes } = dimensions;
  const fileOf = ({ directory }: CloneRig, name: string) => join(directory, name);
  return {
    ...whole,
    name: 'device to an earlier copy of it, of which 1 % has changed; dd conv=sparse,fsync of all',
    prepare: async (rig) => {
      const copied = await whole.prepare(rig);
      sh('cp --sparse=always --reflink=auto "$1" "$2"', '/', rig.devices.file('source.raw'), fileOf(rig, 'base.raw'));
      const changed = everyHundredth(mebibytes);
      writePieces(rig.devices.file('source.raw'), changed);
      await tell(rig, CHANGED_RANGES_FILE, dimensions, changed);
      return { ...copied, holdsBase: true, needed: bytesIn(changed) / MEGABYTE };
    },
    clear: async (rig, copied) => {
      await whole.clear(rig, copied);
      sh(
        'dd if="$1" of="$2" bs=1M conv=sparse,notrunc,fsync status=none',
        '/',
        fileOf(rig, 'base.raw'),
        fileOf(rig, 'target.raw'),
      );
    },
  };
}

/** Tells the source of ranges, as the controllers do. */
function tell(rig: CloneRig, name: string, { mebibytes }: Dimensions, ranges: readonly BlockRange[]): Promise<void> {
  const text = encodeBlockRanges({ capacity: mebibytes * MEBIBYTE, ranges });
  return writeFile(join(rig.directory, 'client-tls', name), text);
}

function tree({ files }: Dimensions): Case {
  return {
    name: `tree of ${files} files of 4 KiB; tar to tar, sync -f`,
    prepare: async ({ source }) => {
      const content = randomBytes(FILE_LENGTH);
      for (let folder = 0; folder * FILES_IN_FOLDER < files; folder += 1) {
        const directory = join(source, String(folder));
        await mkdir(directory);
        const length = Math.min(FILES_IN_FOLDER, files - folder * FILES_IN_FOLDER);
        const names = Array.from({ length }, (_, index) => String(index));
        await Promise.all(names.map((name) => writeFile(join(directory, name), content)));
      }
      return { volumeMode: 'Filesystem', contentType: 'archive' };
    },
    reference: ({ source, target }) => sh('tar -C "$1" -cf - . | tar -C "$2" -xf -; sync -f "$2"', '/', source, target),
    verify: ({ source, target }) => execFileSync('diff', ['-r', source, target]),
    clear: clearFolder,
  };
}

/** Writes data that are not zeros all over a sparse disk. */
function writeScattered(path: string, mebibytes: number): void {
  writePieces(path, scattered(mebibytes), mebibytes);
}

/** @param mebibytes that a file is made to have at first */
function writePieces(path: string, pieces: readonly BlockRange[], mebibytes?: number): void {
  const piece = randomBytes(PIECE_LENGTH);
  const target = openSync(path, constants.O_RDWR | constants.O_CREAT);
  try {
    if (mebibytes !== undefined && fstatSync(target).isFile()) ftruncateSync(target, mebibytes * MEBIBYTE);
    for (const { offset, length } of pieces) writeSync(target, piece, 0, length, offset);
    fsyncSync(target);
  } finally {
    closeSync(target);
  }
}

/** The pieces of a disk that have data. */
const scattered = (mebibytes: number) => piecesOf(mebibytes, (STRIDE_MEBIBYTES * MEBIBYTE) / (MEBIBYTE / PIECE_LENGTH));

const everyHundredth = (mebibytes: number) => piecesOf(mebibytes, 100 * PIECE_LENGTH);

/** @param stride from one piece to the next, in bytes */
function piecesOf(mebibytes: number, stride: number): BlockRange[] {
  const aligned = Math.floor(stride / 4096) * 4096;
  const pieces: BlockRange[] = [];
  for (let offset = 0; offset + PIECE_LENGTH <= mebibytes * MEBIBYTE; offset += aligned) {
    pieces.push({ offset, length: PIECE_LENGTH });
  }
  return pieces;
}
