import { createHash } from 'node:crypto';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { expect } from 'chai';
import { pack } from 'tar-stream';
import { ByteReader } from '../../../src/transfer/bytes.ts';
import { unwrap, type Unwrapped } from '../../../src/transfer/unwrap/unwrap.ts';
import { streamOptimizedVmdk } from '../../support/stream-optimized-vmdk.ts';
import { collect, lend } from './streams.ts';

const raw = Buffer.alloc(128 * 1024, 'disk\0');
const vmdk = streamOptimizedVmdk(Buffer.alloc(4096, 'vm'), { grainSize: 4096, entries: 16 });

async function tar(members: Record<string, Buffer | string>): Promise<Buffer> {
  const packing = pack();
  for (const [name, content] of Object.entries(members)) packing.entry({ name }, content);
  packing.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of packing) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function ovf(...files: string[]): string {
  const listed = files.map((name, index) => `<File ovf:href="${name}" ovf:id="file${index}" ovf:size="1"/>`);
  const disks = files.map((_, index) => `<Disk ovf:capacity='1' ovf:diskId="d${index}" ovf:fileRef="file${index}" />`);
  const document = `<?xml version="1.0"?>\n<Envelope xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1">`;
  return `${document}<References>${listed.join('')}</References><DiskSection>${disks.join('')}</DiskSection></Envelope>`;
}

function manifest(algorithm: string, files: Record<string, Buffer | string>): string {
  const lines = Object.entries(files).map(
    ([name, content]) =>
      `${algorithm.toUpperCase()}(${name})= ${createHash(algorithm).update(content).digest('hex')}\n`,
  );
  return lines.join('');
}

function open(bytes: Buffer): Promise<Unwrapped> {
  return unwrap(new ByteReader(lend(bytes, Array<number>(500).fill(900))), bytes.length, 'here');
}

async function expectFailure(bytes: Buffer, code: string, message: RegExp): Promise<void> {
  const error = await open(bytes)
    .then(({ reader }) => collect(reader.rest()))
    .catch((reason: unknown) => reason);
  expect(error).to.have.property('code', code);
  expect((error as Error).message).to.match(message);
}

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

  it('is refused where it does not hold exactly one disk', async () => {
    await expectFailure(await tar({ 'notes.txt': 'text\n' }), 'NotAnImage', /without a disk image/);
    const two = await tar({ 'one.img': raw, 'notes.txt': 'text\n', two: vmdk });
    await expectFailure(two, 'UnsupportedImage', /more than one disk image \(one.img, two\)/);
    let deep: Buffer = raw;
    for (let level = 0; level < 5; level += 1) deep = await tar({ deep });
    await expectFailure(deep, 'UnsupportedImage', /more than 3 archives/);
  });

  it('is never a part of an archive', async () => {
    const archive = await tar({ 'disk.img': raw });
    await expectFailure(archive.subarray(0, archive.length - 1024), 'TruncatedImage', /too early/);
    await expectFailure(archive.subarray(0, 5000), 'TruncatedImage', /too early/);
  });
});

describe('OVA', () => {
  const descriptor = ovf('disk.vmdk');

  for (const algorithm of ['sha1', 'sha256', 'sha512']) {
    it(`is checked against its manifest of ${algorithm}, wherever that comes`, async () => {
      const listed = manifest(algorithm, { 'a.ovf': descriptor, 'disk.vmdk': vmdk });
      const orders: Record<string, Buffer | string>[] = [
        { 'a.ovf': descriptor, 'a.mf': listed, 'disk.vmdk': vmdk },
        { 'a.ovf': descriptor, 'disk.vmdk': vmdk, 'a.mf': listed },
        { 'a.mf': listed, 'a.ovf': descriptor, 'disk.vmdk': vmdk },
      ];
      for (const members of orders) {
        const image = await open(await tar(members));
        expect(image.wrappers).to.deep.equal(['ova']);
        expect(await collect(image.reader.rest())).to.deep.equal(vmdk);
        const damaged = Buffer.from(vmdk);
        damaged.writeUInt8(9, 700);
        await expectFailure(await tar({ ...members, 'disk.vmdk': damaged }), 'ChecksumMismatch', /disk.vmdk.*manifest/);
        const changed = descriptor.replace('capacity', 'Capacity');
        await expectFailure(await tar({ ...members, 'a.ovf': changed }), 'ChecksumMismatch', /a.ovf.*manifest/);
      }
    });
  }

  it('takes the disk that its descriptor names, and nothing that only looks like one', async () => {
    const archive = await tar({
      'a.ovf': ovf('disk &amp; more.vmdk'),
      'a.nvram': raw,
      'disk & more.vmdk': vmdk,
      b: raw,
    });
    expect(await collect((await open(archive)).reader.rest())).to.deep.equal(vmdk);
  });

  it('with several disks is refused before any is read, and named', async () => {
    const archive = await tar({ 'a.ovf': ovf('one.vmdk', 'two.vmdk'), 'one.vmdk': vmdk });
    await expectFailure(archive, 'UnsupportedImage', /2 disks \(one.vmdk, two.vmdk\)/);
  });

  it('without its disk is refused', async () => {
    await expectFailure(await tar({ 'a.ovf': descriptor, other: vmdk }), 'NotAnImage', /without a disk/);
    await expectFailure(await tar({ 'a.ovf': ovf(), other: vmdk }), 'UnsupportedImage', /no disk/);
  });
});
