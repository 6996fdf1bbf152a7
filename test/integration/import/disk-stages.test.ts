import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import type { DiskRange } from '../../../src/base/disk-source.ts';
import type { Stage } from '../../../src/transfer/disk/stage.ts';
import { peakMemory } from '../../support/peak-memory.ts';
import { LoopDevices, sh } from '../copy/rig/disks.ts';
import { bundle, linkNativeLibraries } from '../support/bundle.ts';
import { noise, sameDisk } from '../support/images.ts';
import type { DiskImportRequest } from '../support/killed-disk-import.ts';
import { RangedServer } from '../support/ranged-server.ts';

const KIBIBYTE = 1024;
const MEBIBYTE = 1024 * KIBIBYTE;
const CAPACITY = 32 * MEBIBYTE;
/** How often each stage is killed. */
const KILLS = Number(process.env['DISKPRESS_KILLS'] ?? 6);

/** A state of the disk, and the server that has it. */
interface Snapshot {
  content: Buffer;
  map: DiskRange[];
  /** A file with the content. */
  path: string;
  server: RangedServer;
}

describe('importer: disks in ranges, killed', () => {
  let directory: string;
  let script: string;
  const snapshots: Snapshot[] = [];

  /** Adds a snapshot, of which each part has the content that is said, and as many KiB. */
  const snapshot = async (...parts: [content: DiskRange['content'], kibibytes: number][]): Promise<void> => {
    const before = snapshots.at(-1)?.content ?? Buffer.alloc(0);
    const number = snapshots.length;
    const content = Buffer.alloc(parts.reduce((sum, [, kibibytes]) => sum + kibibytes, 0) * KIBIBYTE);
    const map: DiskRange[] = [];
    let offset = 0;
    for (const [kind, kibibytes] of parts) {
      const length = kibibytes * KIBIBYTE;
      if (kind === 'data') noise(`${number} at ${offset}`, length).copy(content, offset);
      if (kind === 'unchanged') content.set(before.subarray(offset, offset + length), offset);
      map.push({ offset, length, content: kind });
      offset += length;
    }
    const path = join(directory, `snapshot-${number}`);
    await writeFile(path, content);
    const server = await RangedServer.start(content, {
      intercept: (request, response) => {
        if (request.url === '/map') response.end(JSON.stringify(map));
        return request.url === '/map';
      },
    });
    snapshots.push({ content, map, path, server });
  };

  /** Runs an import; undefined when it was killed. */
  const attempt = async (request: DiskImportRequest): Promise<{ steps: string[]; bytesRead: number } | undefined> => {
    const child = spawn(process.execPath, [script, JSON.stringify(request)], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
    if (signal === 'SIGKILL') return undefined;
    expect(code).to.equal(0);
    return JSON.parse(output) as { steps: string[]; bytesRead: number };
  };
  const stageOf = (number: number): Stage => ({
    previous: number === 0 ? '' : `s${number - 1}`,
    current: `s${number}`,
    isFinal: number === snapshots.length - 1,
  });
  const requestFor = (
    place: Pick<DiskImportRequest, 'path' | 'state'>,
    target: Partial<DiskImportRequest['target']>,
    number: number,
  ): DiskImportRequest => ({
    ...place,
    url: snapshots[number]?.server.url ?? '',
    target: {
      volumeMode: 'Filesystem',
      capacity: CAPACITY,
      filesystemOverhead: 0,
      preallocation: false,
      contentType: 'kubevirt',
      ...target,
    },
    stage: stageOf(number),
    largestRead: 64 * KIBIBYTE,
    interval: 0,
  });
  /** Carries out all stages, each of which is killed several times on its way. */
  const throughAllStages = async (
    place: Pick<DiskImportRequest, 'path' | 'state'>,
    target: Partial<DiskImportRequest['target']>,
  ): Promise<void> => {
    for (const [number, { path }] of snapshots.entries()) {
      const request = requestFor(place, target, number);
      for (let kills = 0; kills < KILLS; kills += 1) {
        await attempt({ ...request, steps: 1 + Math.floor(Math.random() * 80) });
      }
      await attempt(request);
      expect(await sameDisk(place.path, path), `stage ${number}`).to.equal(true);
    }
  };

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'diskpress-disk-stages-'));
    await linkNativeLibraries(directory);
    script = await bundle('disk-import-process.ts', directory);
    await snapshot(['data', 5000], ['zeros', 3000], ['data', 4], ['zeros', 60], ['data', 4500]);
    await snapshot(['unchanged', 1000], ['data', 3000], ['zeros', 2000], ['data', 3000], ['unchanged', 3564]);
    await snapshot(
      ['data', 100],
      ['unchanged', 9000],
      ['zeros', 1],
      ['unchanged', 3463],
      ['data', 4000],
      ['zeros', 500],
    );
  });

  after(async () => {
    for (const { server } of snapshots) server.close();
    await rm(directory, { recursive: true, force: true });
  });

  for (const preallocation of [false, true]) {
    const how = preallocation ? ', preallocated' : '';

    it(`gives each snapshot in a file${how}, wherever each stage was killed`, async () => {
      const folder = await mkdtemp(join(directory, 'target-'));
      const path = join(folder, 'disk.img');
      await throughAllStages({ path, state: path }, { preallocation });
      expect(await readdir(folder)).to.deep.equal(['disk.img']);
    });

    it(`gives each snapshot on a device${how}, wherever each stage was killed`, async () => {
      const devices = new LoopDevices(directory);
      try {
        const device = devices.attach(`device-${preallocation}`, CAPACITY / MEBIBYTE);
        sh('tr "\\0" x < /dev/zero | dd of="$1" bs=1M status=none 2>&1 || true', '/', device);
        await throughAllStages(
          { path: device, state: join(directory, `state-${preallocation}`) },
          {
            volumeMode: 'Block',
            preallocation,
          },
        );
      } finally {
        devices.detach();
      }
    });
  }

  it('does not read again what is durable of a stage', async () => {
    const folder = await mkdtemp(join(directory, 'target-'));
    const path = join(folder, 'disk.img');
    const place = { path, state: path };
    await attempt(requestFor(place, {}, 0));
    const request = requestFor(place, {}, 1);
    expect(await attempt({ ...request, position: 3 * MEBIBYTE })).to.equal(undefined);
    const finished = await attempt(request);
    expect(finished?.steps).to.include('resuming');
    expect(finished?.bytesRead).to.be.lessThan(4500 * KIBIBYTE);
    expect(await sameDisk(path, snapshots[1]?.path ?? '')).to.equal(true);
  });

  it('stays within 120 MB of memory', async () => {
    const size = 512 * MEBIBYTE;
    const content = noise('large', size);
    const server = await RangedServer.start(content, {
      intercept: (request, response) => {
        if (request.url === '/map') response.end(JSON.stringify([{ offset: 0, length: size, content: 'data' }]));
        return request.url === '/map';
      },
    });
    const folder = join(directory, 'large');
    await mkdir(folder);
    const path = join(folder, 'disk.img');
    const request: DiskImportRequest = {
      ...requestFor({ path, state: path }, { capacity: size }, 0),
      url: server.url,
      stage: undefined,
      largestRead: 16 * MEBIBYTE,
      interval: 2000,
    };
    const child = spawn(process.execPath, [script, JSON.stringify(request)], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const peak = await peakMemory(child.pid ?? 0, () => child.exitCode === null);
    server.close();
    expect(child.exitCode).to.equal(0);
    expect(peak).to.be.within(20_000_000, 120_000_000);
    expect((await readFile(path)).equals(content)).to.equal(true);
    await rm(dirname(path), { recursive: true });
  });
});
