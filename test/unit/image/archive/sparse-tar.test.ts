import { execFileSync } from 'node:child_process';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { ByteReader } from '../../../../src/base/bytes.ts';
import { zeroPieces } from '../../../../src/base/zeros.ts';
import { readTar, type TarEntry } from '../../../../src/image/archive/tar-reader.ts';
import { unwrap } from '../../../../src/image/unwrap/unwrap.ts';
import { collect, lend } from '../../base/streams.ts';

const KIBIBYTE = 1024;
const formats = {
  'GNU tar’s own format': ['--format=gnu'],
  'PAX 0.0': ['--format=pax', '--sparse-version=0.0'],
  'PAX 0.1': ['--format=pax', '--sparse-version=0.1'],
  'PAX 1.0': ['--format=pax', '--sparse-version=1.0'],
};
/** Where each disk has data, and how large it is: KiB. */
const disks = {
  'is a hole': { at: [], size: 4096 },
  'begins with data': { at: [0, 300, 900], size: 2000 },
  'ends with data': { at: [1000, 3996], size: 4000 },
  'is in many pieces': { at: Array.from({ length: 700 }, (_, index) => 8 + index * 12), size: 16 * KIBIBYTE },
  'is not whole blocks': { at: [40], size: 4096.25 },
};

describe('sparse files in tar archives', () => {
  let folder = '';

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'diskpress-sparse-'));
  });
  after(async () => rm(folder, { recursive: true }));

  /** Two members: the disk, and one behind it that shows that nothing of the disk was left over. */
  async function archive({ at, size }: { at: number[]; size: number }, options: string[]): Promise<[Buffer, Buffer]> {
    const disk = await open(join(folder, 'disk.raw'), 'w');
    await disk.truncate(size * KIBIBYTE);
    for (const [index, place] of at.entries()) {
      await disk.write(Buffer.alloc(4 * KIBIBYTE, `data ${index}`), 0, 4 * KIBIBYTE, place * KIBIBYTE);
    }
    await disk.close();
    const script = 'echo behind >behind; tar --sparse --hole-detection=seek -cf archive.tar "$@" disk.raw behind';
    execFileSync('sh', ['-ec', script, 'sh', ...options], { cwd: folder });
    return [await readFile(join(folder, 'archive.tar')), await readFile(join(folder, 'disk.raw'))];
  }

  const reader = (bytes: Buffer) => new ByteReader(lend(bytes, Array<number>(5000).fill(700)));

  for (const [format, options] of Object.entries(formats)) {
    for (const [what, disk] of Object.entries(disks)) {
      it(`are as they were: ${format}, a disk that ${what}`, async () => {
        const [bytes, expected] = await archive(disk, options);
        const found: [string, number, Buffer][] = [];
        for await (const { path, size, body } of readTar(reader(bytes))) found.push([path, size, await collect(body)]);
        expect(found).to.deep.equal([
          ['disk.raw', expected.length, expected],
          ['behind', 7, Buffer.from('behind\n')],
        ]);
      });
    }

    it(`can be passed over: ${format}`, async () => {
      const [bytes] = await archive(disks['is in many pieces'], options);
      const paths: string[] = [];
      for await (const { path } of readTar(reader(bytes))) paths.push(path);
      expect(paths).to.deep.equal(['disk.raw', 'behind']);
    });

    it(`are the disk in an archive, which does not lie there as it is: ${format}`, async () => {
      const [bytes, expected] = await archive(disks['ends with data'], options);
      const { reader: image, offset, size, wrappers } = await unwrap(reader(bytes), bytes.length, 'here');
      expect({ offset, size, wrappers }).to.deep.equal({ offset: undefined, size: expected.length, wrappers: ['tar'] });
      expect(await collect(image.rest())).to.deep.equal(expected);
    });

    it(`are never taken for whole when the archive ends early: ${format}`, async () => {
      const [bytes] = await archive(disks['begins with data'], options);
      const member = Math.floor(bytes.indexOf('behind') / 512) * 512;
      for (let length = 512; length < member; length += 512) {
        const error = await collectAll(bytes.subarray(0, length)).catch((reason: unknown) => reason);
        expect(error).to.have.property('code', 'TruncatedImage');
      }
    });

    it(`survive any damage: ${format}`, async () => {
      const [bytes] = await archive(disks['begins with data'], options);
      const member = Math.floor(bytes.indexOf('behind') / 512) * 512;
      for (let at = 0; at < member; at += 11) {
        const damaged = Buffer.from(bytes.subarray(0, member));
        damaged.writeUInt8(damaged.readUInt8(at) ^ (1 << (at % 8)), at);
        restoreChecksums(damaged, bytes);
        const size = await collectAll(damaged).catch((error: unknown) => error);
        if (size instanceof Error) expect(size).to.have.property('name', 'TransferError');
      }
    });
  }

  it('are told by their holes, without looking at bytes', async () => {
    const [bytes] = await archive({ at: [1024], size: 64 * KIBIBYTE }, formats['PAX 1.0']);
    let [hole, other] = [0, 0];
    const [zero] = zeroPieces(1);
    for await (const { path, body } of readTar(reader(bytes))) {
      for await (const chunk of path === 'disk.raw' ? body : []) {
        if (chunk.buffer === zero?.buffer) hole += chunk.length;
        else other += chunk.length;
      }
    }
    expect({ hole, other }).to.deep.equal({ hole: 64 * KIBIBYTE ** 2 - 4096, other: 4096 });
  });

  async function collectAll(bytes: Buffer): Promise<number> {
    let sum = 0;
    for await (const { body } of readTar(reader(bytes)) as AsyncIterable<TarEntry>) {
      for await (const chunk of body) {
        sum += chunk.length;
        // A damaged size may be anything: as much as this says enough.
        if (sum > 64 * KIBIBYTE ** 2) return sum;
      }
    }
    return sum;
  }
});

/** Makes the checksums of headers right again, so that damage gets past them. */
function restoreChecksums(damaged: Buffer, original: Buffer): void {
  for (let at = 0; at < damaged.length; at += 512) {
    const block = damaged.subarray(at, at + 512);
    if (block.equals(original.subarray(at, at + 512)) || original.toString('latin1', at + 257, at + 262) !== 'ustar') {
      continue;
    }
    block.fill(' ', 148, 156);
    const sum = block.reduce((total, byte) => total + byte, 0);
    block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  }
}
