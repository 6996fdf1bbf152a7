import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import type { DiskRange } from '../../../src/base/disk-source.ts';
import { Patience, type PatienceOptions } from '../../../src/base/patience.ts';
import { Progress } from '../../../src/base/progress.ts';
import { VddkDisk, type VddkDiskOptions } from '../../../src/source/vddk/vddk-disk.ts';
import { rejection } from '../../support/rejection.ts';
import { vddkPlugin } from '../../support/vddk/compiled.ts';
import { StandInLibrary } from '../../support/vddk/stand-in.ts';
import { run } from '../support/processes.ts';

const MEBIBYTE = 2 ** 20;
const FILE = '[store] machine/disk.vmdk';
const PASSWORD = 'open, sesame';
const THUMBPRINT = 'AA:BB:CC';
const patience: PatienceOptions = { giveUpAfter: 20_000, firstDelay: 10, longestDelay: 50 };

describe('vddk: a disk', () => {
  let directory: string;
  let library: StandInLibrary;
  let original: string;
  let notes: { step: string; details: Record<string, unknown> }[];

  before(async function () {
    this.timeout(60_000);
    directory = await mkdtemp(join(tmpdir(), 'vddk-'));
    library = await StandInLibrary.create(directory, { user: 'me', password: PASSWORD, thumbprint: THUMBPRINT });
    original = await library.disk(FILE);
    // 24 MiB at 40 MiB and 8 MiB at the end, which is no multiple of what allocation is told in.
    await run('sh', [
      '-c',
      'truncate -s 134219264 "$0" && for place in "40 24" "120 8"; do set -- $place; ' +
        'dd if=/dev/urandom of="$0" bs=1M seek=$1 count=$2 conv=notrunc status=none; done',
      original,
    ]);
  });

  after(() => rm(directory, { recursive: true, force: true }));

  beforeEach(async () => {
    await library.reset();
    notes = [];
  });

  async function openDisk(more: Partial<VddkDiskOptions['address']> & { patience?: PatienceOptions } = {}) {
    const { patience: patienceOptions = patience, ...address } = more;
    const progress = new Progress((step, details) => notes.push({ step, details }));
    return VddkDisk.open({
      address: {
        server: 'vcenter.test',
        user: 'me',
        password: PASSWORD,
        thumbprint: THUMBPRINT,
        machine: 'vm-1',
        snapshot: undefined,
        file: FILE,
        ...address,
      },
      installation: { libraryFolder: library.folder, plugin: await vddkPlugin(), workFolder: directory },
      location: `${FILE} of vcenter.test`,
      identity: 'the-disk',
      patience: new Patience(patienceOptions, progress),
      progress,
      signal: undefined,
    });
  }

  /** Reads all data with as many reads in flight as the disk allows, and returns the path of a copy. */
  async function copy(disk: VddkDisk): Promise<{ path: string; ranges: DiskRange[] }> {
    const path = join(directory, 'copy');
    const file = await open(path, 'w');
    const ranges: DiskRange[] = [];
    try {
      await file.truncate(disk.size);
      const pieces: { offset: number; length: number }[] = [];
      for await (const range of disk.ranges(0)) {
        ranges.push(range);
        if (range.content !== 'data') continue;
        for (let at = range.offset; at < range.offset + range.length; at += disk.largestRead) {
          pieces.push({ offset: at, length: Math.min(disk.largestRead, range.offset + range.length - at) });
        }
      }
      const readOn = async (): Promise<void> => {
        for (let piece = pieces.shift(); piece !== undefined; piece = pieces.shift()) {
          const data = Buffer.alloc(piece.length);
          await disk.read(piece.offset, data);
          await file.write(data, 0, data.length, piece.offset);
        }
      };
      await Promise.all(Array.from({ length: disk.concurrency }, readOn));
    } finally {
      await file.close();
    }
    return { path, ranges };
  }

  it('is read byte by byte, and only what is allocated of it', async () => {
    const disk = await openDisk();
    const { path, ranges } = await copy(disk);
    await disk.close();
    await run('cmp', [path, original]);
    expect(ranges.map(({ offset, length, content }) => [offset, length, content])).to.deep.equal([
      [0, 40 * MEBIBYTE, 'zeros'],
      [40 * MEBIBYTE, 24 * MEBIBYTE, 'data'],
      [64 * MEBIBYTE, 56 * MEBIBYTE, 'zeros'],
      [120 * MEBIBYTE, 8 * MEBIBYTE + 1536, 'data'],
    ]);
    const sectors = (await library.calls('Read')).map((line) => Number(line.split(' ')[2]));
    expect(sectors.reduce((sum, count) => sum + count, 0)).to.equal((32 * MEBIBYTE + 1536) / 512);
    expect(disk.size).to.equal(128 * MEBIBYTE + 1536);
  });

  it('is opened and closed once, read-only, and tells what the library tells', async () => {
    const disk = await openDisk({ snapshot: undefined });
    await disk.close();
    expect(disk.report).to.deep.equal({
      version: '8.0.3 build-23950268',
      host: 'esx.test',
      transportMode: 'nbdssl',
    });
    expect(await library.calls('ConnectEx')).to.deep.equal([
      'ConnectEx read-only=1 snapshot= transports=file:nbdssl:nbd server=vcenter.test vm=moref=vm-1',
    ]);
    expect(await library.calls('Open')).to.deep.equal([`Open flags=4 ${FILE}`]);
    expect(await library.calls('Close')).to.have.length(1);
    expect(await library.calls('Disconnect')).to.have.length(1);
    expect(notes.find(({ step }) => step === 'opened the disk')?.details).to.include({ transportMode: 'nbdssl' });
  });

  it('has several reads in flight', async function () {
    this.timeout(60_000);
    const disk = await openDisk();
    await library.delay('Read', 1000);
    const began = performance.now();
    const reads = Array.from({ length: 8 }, (_, index) =>
      disk.read(40 * MEBIBYTE + index * 65536, Buffer.alloc(65536)),
    );
    await Promise.all(reads);
    // One after the other they take 8 s.
    expect(performance.now() - began).to.be.lessThan(7000);
    await disk.close();
  });

  it('is read at any place', async () => {
    const disk = await openDisk();
    const into = Buffer.alloc(1001);
    await disk.read(40 * MEBIBYTE + 77, into);
    await disk.close();
    const file = await open(original);
    const expected = Buffer.alloc(1001);
    await file.read(expected, 0, 1001, 40 * MEBIBYTE + 77);
    await file.close();
    expect(into.equals(expected)).to.equal(true);
  });

  it('is read completely where the library cannot tell what is allocated', async () => {
    await library.fail('QueryAllocatedBlocks', 6);
    const disk = await openDisk();
    const { path, ranges } = await copy(disk);
    await disk.close();
    await run('cmp', [path, original]);
    expect(ranges).to.deep.equal([{ offset: 0, length: disk.size, content: 'data' }]);
  });

  for (const [what, more, code, words] of [
    ['a wrong password', { password: 'wrong' }, 'Forbidden', 'check the user, the password'],
    ['another thumbprint', { thumbprint: 'AA:BB:00' }, 'CertificateUntrusted', 'check the thumbprint'],
    ['no such disk', { file: '[store] machine/other.vmdk' }, 'DiskNotFound', 'check backingFile'],
    ['no such snapshot', { snapshot: 'snapshot-9' }, 'DiskNotFound', 'check backingFile'],
  ] as const)
    it(`is refused for ${what}, at once`, async () => {
      const failure = await rejection(openDisk(more));
      expect(failure).to.include({ code, permanent: true }).with.property('message').that.includes(words);
      expect(String(failure)).not.to.include(PASSWORD).and.not.to.include('wrong');
      expect(await library.calls('ConnectEx')).to.have.length(1);
    });

  for (const call of ['InitEx', 'ConnectEx', 'Open', 'Read'] as const)
    it(`is read in spite of a ${call} that fails twice`, async () => {
      await library.fail(call, 14009, 2);
      const disk = await openDisk();
      const { path } = await copy(disk);
      await disk.close();
      await run('cmp', [path, original]);
      const failures = notes.filter(({ step }) => step === 'retrying').map(({ details }) => details['failure']);
      expect(failures.join()).to.include('The server refused connection');
    });

  it('is given up on when its host cannot be reached for long', async () => {
    await library.fail('ConnectEx', 14008);
    const failure = await rejection(openDisk({ patience: { giveUpAfter: 300, firstDelay: 10, longestDelay: 50 } }));
    expect(failure).to.include({ code: 'ServerUnavailable' });
    expect(failure)
      .to.have.property('message')
      .that.matches(/could not be contacted.*tried \d+ times/);
  });

  it('is read on when the process that reads it is killed', async function () {
    this.timeout(60_000);
    const disk = await openDisk();
    await library.delay('Read', 1000);
    let isCopied = false;
    const copying = copy(disk).finally(() => (isCopied = true));
    const reads = async (): Promise<number> => (await library.calls('Read')).length;
    for (let kills = 0; kills < 2 && !isCopied; kills += 1) {
      const known = await reads();
      while (!isCopied && (await reads()) === known) await sleep(10);
      await run('pkill', ['-KILL', '-P', `${process.pid}`, 'nbdkit']);
    }
    const { path } = await copying;
    await disk.close();
    await run('cmp', [path, original]);
    expect((await library.calls('Open')).length).to.be.greaterThan(1);
  });

  it('leaves no process and no folder', async () => {
    const disk = await openDisk();
    await disk.close();
    await rejection(openDisk({ password: 'wrong' }));
    const { stdout } = await run('sh', ['-c', `pgrep -P ${process.pid} nbdkit || true; ls "${directory}"`]);
    expect(stdout).not.to.match(/^\d+$/m);
    expect(stdout).not.to.match(/^vddk-/m);
  });
});
