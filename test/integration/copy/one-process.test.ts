import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { TransferError } from '../../../src/base/errors.ts';
import { Progress } from '../../../src/base/progress.ts';
import { CopyTargetVolume } from '../../../src/pods/copy-target-volume.ts';
import { encodeBlockRanges } from '../../../src/protocol/block-ranges.ts';
import { CHECKPOINT_NAME } from '../../../src/transfer/copy/copy-checkpoint.ts';
import { prepareContent } from '../../../src/transfer/copy/copy-source-volume.ts';
import { copyVolume } from '../../../src/transfer/copy/copy-volume.ts';
import { readDisk } from '../../../src/transfer/copy/disk-reader.ts';
import type { DiskExtent } from '../../../src/transfer/copy/extent-stream.ts';
import type { RunningRole } from '../support/running-role.ts';
import { CloneRig, portOf } from './rig/clone-rig.ts';
import { sh, writeLargeDisk, writeSparseDisk } from './rig/disks.ts';
import { describeTree, makeOddTree } from './rig/trees.ts';

const MEBIBYTE = 1024 * 1024;

describe('a copy by one process that has both volumes', () => {
  let rig: CloneRig;

  beforeEach(async () => {
    rig = await CloneRig.create();
  });

  afterEach(() => rig.dispose());

  const image = (directory: string): string => join(directory, 'disk.img');

  it('makes a sparse disk image of one, and removes what else was there', async () => {
    writeSparseDisk(image(rig.source), 48);
    await writeFile(join(rig.target, 'stale'), 'stale');
    const result = await rig.startCopy({ capacity: 60 * MEBIBYTE }, {}, { asPodUser: true }).result();
    expect(result).to.include({ outcome: 'succeeded', virtualSize: 60 * MEBIBYTE, format: 'raw', preallocated: false });
    execFileSync('cmp', ['-n', String(48 * MEBIBYTE), image(rig.source), image(rig.target)]);
    expect(sh('ls -A', rig.target)).to.equal('disk.img\n');
    expect(Number(sh('stat -c %b disk.img', rig.target)) * 512).to.be.below(8 * MEBIBYTE);
  });

  it('makes a device of a device, through which nothing shows that was on it', async () => {
    const source = rig.devices.attach('source.raw', 48);
    writeSparseDisk(rig.devices.file('source.raw'), 48);
    const target = rig.devices.attach('target.raw', 64);
    sh('yes stale | dd of="$1" bs=1M iflag=fullblock oflag=direct status=none count=64', '/', target);
    const paths = { sourceDevice: source, blockDevice: target };
    const result = await rig.startCopy({ volumeMode: 'Block' }, paths, { sourceVolumeMode: 'Block' }).result();
    expect(result).to.include({ outcome: 'succeeded', virtualSize: 64 * MEBIBYTE, bytesRead: 48 * MEBIBYTE });
    execFileSync('cmp', ['-n', String(48 * MEBIBYTE), source, target]);
    sh('cmp -i "$2" -n "$3" "$1" /dev/zero', '/', target, `${48 * MEBIBYTE}:0`, String(16 * MEBIBYTE));
  });

  it('makes a disk image of a device, and a device of a disk image', async () => {
    const source = rig.devices.attach('source.raw', 48);
    writeSparseDisk(rig.devices.file('source.raw'), 48);
    const target = rig.devices.attach('target.raw', 48);
    const size = { capacity: 48 * MEBIBYTE };
    const first = await rig.startCopy(size, { sourceDevice: source }, { sourceVolumeMode: 'Block' }).result();
    expect(first.outcome).to.equal('succeeded');
    const paths = { sourceDirectory: rig.target, blockDevice: target };
    expect((await rig.startCopy({ volumeMode: 'Block' }, paths).result()).outcome).to.equal('succeeded');
    execFileSync('cmp', ['-n', String(48 * MEBIBYTE), source, target]);
  });

  it('reads only what is allocated, and everything where the driver is wrong', async () => {
    const source = rig.devices.attach('source.raw', 64);
    writeSparseDisk(rig.devices.file('source.raw'), 64);
    const target = rig.devices.attach('target.raw', 64);
    const copy = async (ranges: { offset: number; length: number }[]): Promise<object> => {
      const text = encodeBlockRanges({ capacity: 64 * MEBIBYTE, ranges });
      await writeFile(join(rig.directory, 'client-tls', 'allocated-ranges'), text);
      const paths = { sourceDevice: source, blockDevice: target };
      const result = await rig.startCopy({ volumeMode: 'Block' }, paths, { sourceVolumeMode: 'Block' }).result();
      execFileSync('cmp', [source, target]);
      return result;
    };
    const ranges = [
      { offset: 0, length: MEBIBYTE },
      { offset: 25 * MEBIBYTE, length: 3 * MEBIBYTE },
      { offset: 45 * MEBIBYTE, length: MEBIBYTE },
      { offset: 63 * MEBIBYTE, length: MEBIBYTE },
    ];
    expect(await copy(ranges)).to.include({ outcome: 'succeeded', allocation: 'used', bytesRead: 6 * MEBIBYTE });
    expect(await copy([])).to.include({ outcome: 'succeeded', allocation: 'wrong', bytesRead: 64 * MEBIBYTE });
  });

  it('copies a tree with every kind of member', async () => {
    makeOddTree(rig.source);
    expect((await rig.startCopy({ contentType: 'archive' }).result()).outcome).to.equal('succeeded');
    expect(describeTree(rig.target)).to.equal(describeTree(rig.source));
  });

  it('fails for good where the disk does not fit', async () => {
    writeSparseDisk(image(rig.source), 48);
    const target = rig.devices.attach('target.raw', 32);
    const result = await rig.startCopy({ volumeMode: 'Block' }, { blockDevice: target }).result();
    expect(result).to.include({ outcome: 'failed', permanent: true, code: 'ImageTooLarge' });
  });

  describe('that was broken off', () => {
    const size = 160 * MEBIBYTE;
    const broken = 120 * MEBIBYTE;

    beforeEach(async () => {
      writeLargeDisk(image(rig.source), size / MEBIBYTE);
      const target = { volumeMode: 'Filesystem', capacity: size, filesystemOverhead: 0 } as const;
      const volume = new CopyTargetVolume(
        { target: { ...target, preallocation: false, contentType: 'kubevirt' }, copy: '' },
        { dataDirectory: rig.target, blockDevice: '' },
        new Progress(),
      );
      const source = { volumeMode: 'Filesystem', directory: rig.source, diskImage: 'disk.img' } as const;
      const arrivedFiles = async (): Promise<Buffer> => volume.arrivedFiles();
      const destination = { ...(await volume.state()), transfer: 'golden team', arrivedFiles };
      const content = await prepareContent(source, destination);
      const failing = { ...content, readDisk: async () => ({ size, extents: readUpTo(broken) }) };
      const failure = await copyVolume(failing, volume, new Progress()).catch((error: unknown) => error);
      expect(failure).to.have.property('code', 'SourceNotReadable');
      expect(existsSync(join(rig.target, CHECKPOINT_NAME))).to.equal(true);
    });

    async function* readUpTo(end: number): AsyncGenerator<readonly DiskExtent[]> {
      for await (const extents of readDisk(image(rig.source), { from: 0, size }).extents) {
        if (extents.some(({ offset }) => offset >= end))
          throw new TransferError('SourceNotReadable', 'the disk is away');
        yield extents;
      }
    }

    function expectResumed(role: RunningRole): void {
      const continued = role.log.find(({ message }) => message === 'continuing');
      expect(continued).to.include({ from: broken });
      execFileSync('cmp', [image(rig.source), image(rig.target)]);
      expect(sh('ls -A', rig.target)).to.equal('disk.img\n');
    }

    it('is resumed by another process where it was', async () => {
      const role = rig.startCopy({ capacity: size });
      expect(await role.result()).to.include({
        outcome: 'succeeded',
        bytesRead: size,
        bytesWritten: size - broken,
      });
      expectResumed(role);
    });

    it('is resumed by two processes where it was', async () => {
      const server = rig.startServer({ capacity: size });
      const sender = rig.startSource({}, { port: await portOf(server) });
      for (const role of [sender, server]) expect((await role.result()).outcome).to.equal('succeeded');
      expectResumed(server);
    });
  });

  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    it(`is whole however often it gets ${signal}`, async () => {
      const size = 128 * MEBIBYTE;
      writeLargeDisk(image(rig.source), size / MEBIBYTE);
      for (const atLeast of [8 * MEBIBYTE, 90 * MEBIBYTE]) {
        const role = rig.startCopy({ capacity: size });
        await role.stage('copying');
        // It may be at its end before it is asked.
        await role.progress(({ bytesRead }) => bytesRead >= atLeast).catch(() => undefined);
        await role.kill(signal);
      }
      expect((await rig.startCopy({ capacity: size }).result()).outcome).to.equal('succeeded');
      execFileSync('cmp', [image(rig.source), image(rig.target)]);
      expect(sh('ls -A', rig.target)).to.equal('disk.img\n');
    });
  }
});
