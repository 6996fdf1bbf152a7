import { randomBytes } from 'node:crypto';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { expect } from 'chai';
import { DoubtfulMember } from '../../../../src/image/unwrap/doubtful-member.ts';
import { streamOptimizedVmdk } from '../../../support/stream-optimized-vmdk.ts';
import { collect } from '../../base/streams.ts';
import { expectFailure, open, tar } from './unwrapping.ts';

const raw = Buffer.alloc(128 * 1024, 'disk\0');
const vmdk = streamOptimizedVmdk(Buffer.alloc(4096, 'vm'), { grainSize: 4096, entries: 16 });

/** With the signature of a partition table. */
const partitioned = Buffer.from(raw);
partitioned.writeUInt16LE(0xaa55, 510);
/** Larger than what is kept in memory until the others are known. */
const large = Buffer.alloc(17 * 1024 * 1024, 'large\0');
const noise = randomBytes(17 * 1024 * 1024);

describe('what an image is packed in', () => {
  it('is taken off, however it is nested, and whatever the names are', async () => {
    const nested: [bytes: Buffer, wrappers: string[]][] = [
      [raw, []],
      [gzipSync(zstdCompressSync(raw)), ['gzip', 'zstd']],
      [await tar({ 'notes.txt': 'text\n', 'disk.txt': raw }), ['tar']],
      [gzipSync(await tar({ 'image.tar': zstdCompressSync(raw) })), ['gzip', 'tar', 'zstd']],
      [zstdCompressSync(await tar({ a: await tar({ b: gzipSync(raw) }) })), ['zstd', 'tar', 'tar', 'gzip']],
    ];
    for (const [bytes, wrappers] of nested) {
      const image = await open(bytes);
      expect(image.wrappers).to.deep.equal(wrappers);
      expect(await collect(image.reader.rest())).to.deep.equal(raw);
    }
  });

  it('tells where the image lies, where it can be read there', async () => {
    const archive = await tar({ 'disk.img': raw });
    const { offset, size } = await open(archive);
    expect({ offset, size }).to.deep.equal({ offset: archive.indexOf(raw), size: raw.length });
    expect(await open(gzipSync(raw))).to.include({ offset: undefined, size: undefined });
  });

  it('is named with its place in archives', async () => {
    const archive = gzipSync(await tar({ 'inner.tar': await tar({ 'disk.img': raw }) }));
    expect((await open(archive)).location).to.equal('disk.img in inner.tar in here');
  });

  it('is refused where it does not hold exactly one disk', async () => {
    await expectFailure(await tar({ 'notes.txt': 'text\n' }), 'NotAnImage', /without a disk image/);
    for (const [one, two] of [
      [partitioned, vmdk],
      [vmdk, partitioned],
      [raw, raw],
      [large, vmdk],
      [gzipSync(noise), vmdk],
      [large, raw],
      [raw, large],
    ]) {
      const both = await tar({ 'one.img': one ?? '', 'notes.txt': 'text\n', two: two ?? '' });
      await expectFailure(both, 'UnsupportedImage', /more than one disk image \(one.img, two\)/);
    }
    let deep: Buffer = raw;
    for (let level = 0; level < 5; level += 1) deep = await tar({ deep });
    await expectFailure(deep, 'UnsupportedImage', /more than 3 archives/);
  });

  it('is the one that is certainly a disk, in whatever order, and whatever else might be one', async () => {
    const firmware = Buffer.alloc(128 * 1024, 'variables\0');
    const others: Record<string, Buffer> = {
      'state.vmcx': raw,
      'OVMF_VARS.fd': Buffer.concat([firmware.subarray(0, 40), Buffer.from('_FVH'), firmware]).subarray(0, 128 * 1024),
    };
    for (const disk of [vmdk, partitioned, gzipSync(vmdk), gzipSync(partitioned)]) {
      for (const members of [
        { ...others, disk },
        { disk, ...others },
      ]) {
        const image = await open(await tar(members));
        const expected = disk === vmdk || disk.equals(gzipSync(vmdk)) ? vmdk : partitioned;
        expect(await collect(image.reader.rest())).to.deep.equal(expected);
      }
    }
    expect(await collect((await open(await tar(others))).reader.rest())).to.deep.equal(raw);
  });

  it('is the one that is certainly a disk, however many others might be one', async () => {
    const archive = await tar({ 'one.bin': raw, 'two.bin': raw, 'three.bin': large, disk: vmdk, 'four.bin': large });
    expect(await collect((await open(archive)).reader.rest())).to.deep.equal(vmdk);
  });

  it('is found behind large files that only might be one, where only certain ones are to count', async () => {
    for (const first of [large, gzipSync(noise)]) {
      const archive = await tar({ 'memory.bin': first, disk: vmdk, 'more.bin': large });
      const doubtful = await open(archive);
      expect(doubtful.doubtfulIn()).to.equal(0);
      const failure: unknown = await collect(doubtful.reader.rest()).catch((reason: unknown) => reason);
      expect(failure).to.be.instanceOf(DoubtfulMember).and.to.include({ archive: 0, code: 'UnsupportedImage' });
      const { reader, doubtfulIn } = await open(archive, { certainOnly: [0] });
      expect(doubtfulIn()).to.equal(undefined);
      expect(await collect(reader.rest())).to.deep.equal(vmdk);
    }
  });

  it('is doubted only in the archive that it lies in, and no longer than it takes to see the rest', async () => {
    const image = await open(await tar({ 'inner.tar': await tar({ 'disk.img': large }) }), { certainOnly: [0] });
    expect(image.doubtfulIn()).to.equal(1);
    expect(await collect(image.reader.rest())).to.deep.equal(large);
    expect(image.doubtfulIn()).to.equal(undefined);
  });

  it('is not a program, picture or text, compressed or not', async () => {
    const program = Buffer.concat([Buffer.from('\x7fELF\x02\x01\x01\0'), raw]).subarray(0, raw.length);
    const text = Buffer.from('all work and no play\n'.repeat(20_000));
    const others: Record<string, Buffer> = {
      program,
      'program.gz': gzipSync(program),
      'text.zst': zstdCompressSync(text),
    };
    for (const [name, content] of Object.entries(others)) {
      await expectFailure(await tar({ [name]: content }), 'NotAnImage', /without a disk image/);
    }
    const image = await open(await tar({ ...others, 'disk.img.gz': gzipSync(raw), 'more.gz': gzipSync(text) }));
    expect(await collect(image.reader.rest())).to.deep.equal(raw);
  });

  it('is not the root file system of a container, but may be in one', async () => {
    const tree = { './etc/hostname': 'a\n', './usr/share/data.bin': raw, './bin/true.gz': gzipSync('text\n') };
    await expectFailure(await tar(tree), 'NotAnImage', /root file system/);
    await expectFailure(
      await tar({ 'usr/share/large.bin': large, 'etc/hostname': 'a\n' }),
      'NotAnImage',
      /root file system/,
    );
    await expectFailure(await tar({ 'rootfs/etc/a': 'a\n', 'rootfs/usr/a': 'a\n' }), 'NotAnImage', /root file system/);
    const image = await open(await tar({ ...tree, './var/lib/images/disk': vmdk }));
    expect(await collect(image.reader.rest())).to.deep.equal(vmdk);
  });

  it('is not looked for in more compressed files than the limit', async () => {
    const many = Object.fromEntries(Array.from({ length: 1001 }, (_, index) => [`${index}.gz`, gzipSync('text\n')]));
    await expectFailure(await tar(many), 'UnsupportedImage', /more than 1000 compressed files/);
  });

  it('is whole where only the end of its archive is missing, which not every program writes', async () => {
    const archive = await tar({ 'notes.txt': 'text\n', 'disk.img': raw });
    for (const length of [1024, 512]) {
      const image = await open(archive.subarray(0, archive.length - length));
      expect(await collect(image.reader.rest())).to.deep.equal(raw);
    }
  });

  it('is never a part of an archive', async () => {
    const archive = await tar({ 'disk.img': raw });
    await expectFailure(archive.subarray(0, archive.length - 1025), 'TruncatedImage', /too early/);
    await expectFailure(archive.subarray(0, 5000), 'TruncatedImage', /too early/);
  });
});
