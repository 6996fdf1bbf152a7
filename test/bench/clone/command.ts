import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CloneRig, portOf } from '../../integration/clone/clone-rig.ts';
import { LoopDevices, sh } from '../../integration/clone/disks.ts';
import { atEnd } from '../ending.ts';

const MEBIBYTE = 2 ** 20;
const GIBIBYTE = 2 ** 30;
/** The disk has a MiB of data in each so many MiB: 1.4 GiB in 8 GiB. */
const STRIDE_MEBIBYTES = 5.714;

/** A way to copy, and the usual tool for the same. */
interface Case {
  readonly name: string;
  prepare: (rig: CloneRig, devices: LoopDevices) => Promise<void>;
  reference: (rig: CloneRig) => void;
  copy: (rig: CloneRig) => Promise<number>;
  verify: (rig: CloneRig) => void;
}

/**
 * Measures host-assisted copies, with both ends as processes of this machine, against the usual tool in alternation:
 * npm run bench -- clone [--rounds 3] [--mebibytes 8192] [--files 100000]. Needs root, for block devices and for cold caches.
 */
export async function clone(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string', default: '3' },
      mebibytes: { type: 'string', default: '8192' },
      files: { type: 'string', default: '100000' },
    },
  });
  const mebibytes = Number(values.mebibytes);
  console.log('| copy | usual tool, s | diskpress, s | ratio |\n| --- | --- | --- | --- |');
  for (const each of [image(mebibytes), device(mebibytes), tree(Number(values.files))]) {
    const rounds: { reference: number; ours: number }[] = [];
    for (let round = 0; round < Number(values.rounds); round += 1) rounds.push(await measure(each));
    const reference = median(rounds.map((round) => round.reference));
    const ours = median(rounds.map((round) => round.ours));
    const ratio = median(rounds.map((round) => round.ours / round.reference));
    console.log(`| ${each.name} | ${reference.toFixed(1)} | ${ours.toFixed(1)} | ${ratio.toFixed(2)} |`);
  }
  return 0;
}

/** Seconds that the usual tool takes, and then ours, from the source's first word to the end of both processes. */
async function measure({ prepare, reference, copy, verify }: Case): Promise<{ reference: number; ours: number }> {
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
      sh('cp --sparse=always "$1/disk.img" "$2/disk.img"; sync "$2/disk.img"', '/', source, target),
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
): Promise<number> {
  const server = rig.startServer(
    { volumeMode, contentType, capacity: 8 * GIBIBYTE },
    devices.target === undefined ? {} : { blockDevice: devices.target },
  );
  const port = await portOf(server);
  const source = rig.startSource(
    { volumeMode, contentType },
    { port, ...(devices.source !== undefined && { blockDevice: devices.source }) },
  );
  await source.stage('starting');
  const began = performance.now();
  for (const role of [source, server]) {
    const result = await role.result();
    if (result.outcome !== 'succeeded') throw new Error(JSON.stringify(result));
  }
  return (performance.now() - began) / 1000;
}

/** Writes data that are no zeros all over a sparse disk. */
function writeScattered(path: string, mebibytes: number): void {
  sh(
    `truncate -s "$2M" "$1"; dd if=/dev/urandom of="$1.part" bs=1M count=1 status=none
     for i in $(seq 0 $(($2 * 1000 / $3 - 1))); do
       dd if="$1.part" of="$1" bs=64K seek=$((i * $3 * 16 / 1000)) conv=notrunc status=none
     done; rm "$1.part"; sync "$1"`,
    '/',
    path,
    String(mebibytes),
    String(STRIDE_MEBIBYTES * 1000),
  );
}

function dropCaches(): void {
  sh('sync; echo 3 > /proc/sys/vm/drop_caches', '/');
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}
