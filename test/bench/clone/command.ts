import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, constants, fstatSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { rmSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CloneRig, portOf } from '../../integration/copy/rig/clone-rig.ts';
import { LoopDevices, sh } from '../../integration/copy/rig/disks.ts';
import type { RunningRole } from '../../integration/support/running-role.ts';
import { atEnd } from '../ending.ts';

const MEBIBYTE = 2 ** 20;
const GIBIBYTE = 2 ** 30;
const PIECE_LENGTH = 64 * 1024;
/** Of /proc/PID/stat; the same on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;
const SAMPLE_MILLISECONDS = 20;
/** The disk has a MiB of data in each so many MiB: 1.4 GiB in 8 GiB. */
const STRIDE_MEBIBYTES = 5.714;

/**
 * What a copy took, in seconds: from the source's first word to the end of both processes, and of the processors for
 * either end.
 */
interface Usage {
  readonly wall: number;
  readonly source: number;
  readonly target: number;
}

/** A way to copy, and the usual tool for the same. */
interface Case {
  readonly name: string;
  prepare: (rig: CloneRig, devices: LoopDevices) => Promise<void>;
  reference: (rig: CloneRig) => void;
  copy: (rig: CloneRig) => Promise<Usage>;
  verify: (rig: CloneRig) => void;
}

/**
 * Measures host-assisted copies, with both ends as processes of this machine, against the usual tool in alternation:
 * npm run bench -- clone [--rounds 3] [--mebibytes 8192] [--files 100000] [--copies image]…. Needs root, for block
 * devices and for cold caches.
 */
export async function clone(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string', default: '3' },
      mebibytes: { type: 'string', default: '8192' },
      files: { type: 'string', default: '100000' },
      copies: { type: 'string', multiple: true, default: ['image', 'device', 'tree'] },
    },
  });
  const mebibytes = Number(values.mebibytes);
  console.log('| copy | usual tool, s | diskpress, s | ratio | processor at the source, s | at the target, s |');
  console.log('| --- | --- | --- | --- | --- | --- |');
  const cases = { image: image(mebibytes), device: device(mebibytes), tree: tree(Number(values.files)) };
  for (const each of Object.entries(cases).flatMap(([name, found]) => (values.copies.includes(name) ? [found] : []))) {
    const rounds: { reference: number; ours: Usage }[] = [];
    for (let round = 0; round < Number(values.rounds); round += 1) rounds.push(await measure(each));
    const reference = median(rounds.map((round) => round.reference));
    const ours = (what: keyof Usage) => median(rounds.map((round) => round.ours[what])).toFixed(1);
    const ratio = median(rounds.map((round) => round.ours.wall / round.reference)).toFixed(2);
    const cells = [each.name, reference.toFixed(1), ours('wall'), ratio, ours('source'), ours('target')];
    console.log(`| ${cells.join(' | ')} |`);
  }
  return 0;
}

/** Seconds that the usual tool takes, and what ours does. */
async function measure({ prepare, reference, copy, verify }: Case): Promise<{ reference: number; ours: Usage }> {
  const rig = await CloneRig.create();
  const devices = new LoopDevices(rig.directory);
  atEnd(() => rmSync(rig.directory, { recursive: true, force: true }));
  atEnd(() => devices.detach());
  try {
    await prepare(rig, devices);
    dropCaches();
    const began = performance.now();
    reference(rig);
    const seconds = (performance.now() - began) / 1000;
    await rm(rig.target, { recursive: true });
    await mkdir(rig.target);
    dropCaches();
    const ours = await copy(rig);
    verify(rig);
    return { reference: seconds, ours };
  } finally {
    devices.detach();
    await rig.dispose();
  }
}

function image(mebibytes: number): Case {
  return {
    name: 'disk image to disk image; cp --sparse=always, sync',
    prepare: async ({ source }) => writeScattered(join(source, 'disk.img'), mebibytes),
    reference: ({ source, target }) =>
      sh('cp --sparse=always --reflink=never "$1/disk.img" "$2/disk.img"; sync "$2/disk.img"', '/', source, target),
    copy: async (rig) => transfer(rig, 'Filesystem', 'kubevirt', {}),
    verify: ({ source, target }) =>
      sh('cmp -n "$3" "$1/disk.img" "$2/disk.img"', '/', source, target, String(mebibytes * MEBIBYTE)),
  };
}

function device(mebibytes: number): Case {
  let source = '';
  let target = '';
  return {
    name: 'device to device; dd conv=sparse,fsync',
    prepare: async (_rig, devices) => {
      source = devices.attach('source.raw', mebibytes);
      target = devices.attach('target.raw', mebibytes);
      writeScattered(devices.file('source.raw'), mebibytes);
    },
    reference: () => {
      sh('dd if="$1" of="$2" bs=1M conv=sparse,fsync status=none; blkdiscard "$2"', '/', source, target);
    },
    copy: async (rig) => transfer(rig, 'Block', 'kubevirt', { source, target }),
    verify: () => execFileSync('cmp', [source, target]),
  };
}

function tree(files: number): Case {
  return {
    name: `tree of ${files} files of 1 KiB; cp -a, sync -f`,
    prepare: async ({ source }) => {
      const content = Buffer.alloc(1024, 'diskpress');
      for (let folder = 0; folder * 1000 < files; folder += 1) {
        const directory = join(source, String(folder));
        await mkdir(directory);
        const names = Array.from({ length: Math.min(1000, files - folder * 1000) }, (_, index) => String(index));
        await Promise.all(names.map((name) => writeFile(join(directory, name), content)));
      }
    },
    reference: ({ source, target }) => sh('cp -a "$1/." "$2/"; sync -f "$2"', '/', source, target),
    copy: async (rig) => transfer(rig, 'Filesystem', 'archive', {}),
    verify: ({ source, target }) => execFileSync('diff', ['-r', source, target]),
  };
}

async function transfer(
  rig: CloneRig,
  volumeMode: 'Filesystem' | 'Block',
  contentType: 'kubevirt' | 'archive',
  devices: { source?: string; target?: string },
): Promise<Usage> {
  const server = rig.startServer(
    { volumeMode, contentType, capacity: 8 * GIBIBYTE },
    devices.target === undefined ? {} : { blockDevice: devices.target },
  );
  const port = await portOf(server);
  const source = rig.startSource(
    { volumeMode, contentType },
    { port, ...(devices.source !== undefined && { blockDevice: devices.source }) },
  );
  const used = [source, server].map((role) => followProcessor(role));
  await source.stage('starting');
  const began = performance.now();
  for (const role of [source, server]) {
    const result = await role.result();
    if (result.outcome !== 'succeeded') throw new Error(JSON.stringify(result));
  }
  const wall = (performance.now() - began) / 1000;
  const [atSource = NaN, atTarget = NaN] = used.map((seconds) => seconds());
  return { wall, source: atSource, target: atTarget };
}

/**
 * Looks again and again, for a process that has ended tells nothing. @returns the seconds that it had used when it was
 * last seen
 */
function followProcessor({ process: { pid } }: RunningRole): () => number {
  let seconds = 0;
  const timer = setInterval(() => {
    try {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
      seconds = (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND || seconds;
    } catch {
      clearInterval(timer);
    }
  }, SAMPLE_MILLISECONDS);
  return () => {
    clearInterval(timer);
    return seconds;
  };
}

/** Writes data that are not zeros all over a sparse disk. */
function writeScattered(path: string, mebibytes: number): void {
  const piece = randomBytes(PIECE_LENGTH);
  const target = openSync(path, constants.O_RDWR | constants.O_CREAT);
  try {
    if (fstatSync(target).isFile()) ftruncateSync(target, mebibytes * MEBIBYTE);
    const stride = Math.floor((STRIDE_MEBIBYTES * MEBIBYTE) / (MEBIBYTE / PIECE_LENGTH) / 4096) * 4096;
    for (let offset = 0; offset + PIECE_LENGTH <= mebibytes * MEBIBYTE; offset += stride) {
      writeSync(target, piece, 0, piece.length, offset);
    }
    fsyncSync(target);
  } finally {
    closeSync(target);
  }
}

function dropCaches(): void {
  sh('sync; echo 3 > /proc/sys/vm/drop_caches', '/');
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}
