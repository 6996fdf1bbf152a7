import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { streamOptimizedVmdk } from '../../../support/stream-optimized-vmdk.ts';
import { collect } from '../../base/streams.ts';
import { expectFailure, open, tar } from './unwrapping.ts';

const raw = Buffer.alloc(128 * 1024, 'disk\0');
const vmdk = streamOptimizedVmdk(Buffer.alloc(4096, 'vm'), { grainSize: 4096, entries: 16 });

function ovf(...files: string[]): string {
  return ovfWith({}, ...files);
}

function ovfWith(more: Record<string, string | number>, ...files: string[]): string {
  const attributes = Object.entries(more).map(([name, value]) => ` ovf:${name}="${value}"`);
  const listed = files.map((name, index) => `<File ovf:href="${name}" ovf:id="file${index}"${attributes.join('')}/>`);
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

  it('is nothing with just any envelope in it', async () => {
    const soap = '<?xml version="1.0"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"></s:Envelope>';
    const image = await open(await tar({ 'message.xml': soap, 'disk.vmdk': vmdk }));
    expect(image.wrappers).to.deep.equal(['tar']);
  });

  it('with several disks is refused before any is read, and named', async () => {
    const archive = await tar({ 'a.ovf': ovf('one.vmdk', 'two.vmdk'), 'one.vmdk': vmdk });
    await expectFailure(archive, 'UnsupportedImage', /2 disks \(one.vmdk, two.vmdk\)/);
  });

  it('without its disk is refused', async () => {
    await expectFailure(
      await tar({ 'a.ovf': descriptor, other: vmdk }),
      'NotAnImage',
      /names disk\.vmdk .* not in the archive/,
    );
    await expectFailure(await tar({ 'a.ovf': ovf(), other: vmdk }), 'UnsupportedImage', /no disk/);
  });

  it('without its disk does not take what comes before the descriptor for it', async () => {
    for (const other of [vmdk, raw]) {
      await expectFailure(
        await tar({ other, 'a.ovf': descriptor }),
        'NotAnImage',
        /names disk\.vmdk .* not in the archive/,
      );
    }
  });

  it('may be signed, and is checked all the same', async () => {
    const listed = manifest('sha256', { 'a.ovf': descriptor, 'disk.vmdk': vmdk });
    const pem = `-----BEGIN CERTIFICATE-----\n${'QUJD'.repeat(16)}\n-----END CERTIFICATE-----\n`;
    const signatures = [512, 128, 64].map((length) => `SHA256(a.mf)= ${'1a58'.repeat(length / 4)}\n${pem}`);
    for (const certificate of signatures) {
      const orders: Record<string, Buffer | string>[] = [
        { 'a.ovf': descriptor, 'a.mf': listed, 'a.cert': certificate, 'disk.vmdk': vmdk },
        { 'a.ovf': descriptor, 'disk.vmdk': vmdk, 'a.mf': listed, 'a.CERT': certificate },
        { 'a.cert': certificate, 'a.mf': listed, 'disk.vmdk': vmdk, 'a.ovf': descriptor },
      ];
      for (const members of orders) {
        expect(await collect((await open(await tar(members))).reader.rest())).to.deep.equal(vmdk);
        const damaged = Buffer.from(vmdk);
        damaged.writeUInt8(9, 700);
        await expectFailure(await tar({ ...members, 'disk.vmdk': damaged }), 'ChecksumMismatch', /disk.vmdk.*manifest/);
      }
    }
  });

  const spellings: [href: string, member: string][] = [
    ['My%20VM-disk1.vmdk', 'My VM-disk1.vmdk'],
    ['Gr%C3%B6%C3%9Fe.vmdk', 'Größe.vmdk'],
    ['Gr&#246;&#xDF;e.vmdk', 'Größe.vmdk'],
    ['Größe.vmdk', 'Gro\u0308ße.vmdk'],
    ['a&#39;b.vmdk', "a'b.vmdk"],
    ['./disk1.vmdk', 'disk1.vmdk'],
    ['disk1.vmdk', './disk1.vmdk'],
    ['sub/../disks/1.vmdk', 'disks/1.vmdk'],
    ['100%.vmdk', '100%.vmdk'],
    ['100%25.vmdk', '100%.vmdk'],
    ['a%20b 100%.vmdk', 'a b 100%.vmdk'],
    ['a%20b.vmdk', 'a%20b.vmdk'],
    ['%FF.vmdk', '%FF.vmdk'],
  ];
  for (const folder of ['', 'vm/', './exported/vm/']) {
    for (const [href, member] of spellings) {
      it(`in ${folder || 'no folder'} has its disk under ${href}, which is ${member}`, async () => {
        const path = folder + member;
        const document = ovf(href);
        const listed = manifest('sha256', { 'vm.ovf': document, [member]: vmdk });
        for (const members of [
          { [`${folder}vm.ovf`]: document, [`${folder}vm.mf`]: listed, [path]: vmdk },
          { [path]: vmdk, [`${folder}vm.mf`]: listed, [`${folder}vm.ovf`]: document },
        ]) {
          const image = await open(await tar(members));
          expect(await collect(image.reader.rest())).to.deep.equal(vmdk);
          const damaged = Buffer.from(vmdk);
          damaged.writeUInt8(9, 700);
          await expectFailure(await tar({ ...members, [path]: damaged }), 'ChecksumMismatch', /manifest/);
        }
      });
    }
  }

  it('has its disk in its own folder, and in no other', async () => {
    const archive = await tar({ 'vm/vm.ovf': descriptor, 'disk.vmdk': vmdk });
    await expectFailure(archive, 'NotAnImage', /names disk\.vmdk .* not in the archive/);
    await expectFailure(await tar({ 'a.ovf': ovf('http://a/b.vmdk') }), 'UnsupportedImage', /elsewhere, at http:/);
  });

  it('may have compressed its disk', async () => {
    const packed = gzipSync(vmdk);
    const document = ovfWith({ compression: 'gzip', size: packed.length }, 'disk.vmdk.gz');
    const listed = manifest('sha1', { 'a.ovf': document, 'disk.vmdk.gz': packed });
    const members = { 'a.ovf': document, 'a.mf': listed, 'disk.vmdk.gz': packed };
    const image = await open(await tar(members));
    expect(image.wrappers).to.deep.equal(['ova', 'gzip']);
    expect(await collect(image.reader.rest())).to.deep.equal(vmdk);
  });

  describe('with its disk in chunks', () => {
    const chunkSize = 30_000;
    const chunksOf = (file: Buffer): Record<string, Buffer> =>
      Object.fromEntries(
        Array.from({ length: Math.ceil(file.length / chunkSize) }, (_, index) => [
          `disk.vmdk.${String(index).padStart(9, '0')}`,
          file.subarray(index * chunkSize, (index + 1) * chunkSize),
        ]),
      );
    const chunks = chunksOf(vmdk);
    const document = ovfWith({ chunkSize, size: vmdk.length }, 'disk.vmdk');
    const names = Object.keys(chunks);

    it('has them joined, and each of them checked', async () => {
      expect(names).to.have.length.greaterThan(2);
      const listed = manifest('sha256', { 'a.ovf': document, ...chunks });
      for (const members of [
        { 'a.ovf': document, 'a.mf': listed, ...chunks },
        { 'a.ovf': document, 'a.nvram': raw, ...chunks, 'a.mf': listed },
      ]) {
        const image = await open(await tar(members));
        expect(image).to.include({ size: undefined, offset: undefined });
        expect(await collect(image.reader.rest())).to.deep.equal(vmdk);
        const damaged = Buffer.from(chunks[names[1] ?? ''] ?? '');
        damaged.writeUInt8(damaged.readUInt8(5) ^ 1, 5);
        await expectFailure(await tar({ ...members, [names[1] ?? '']: damaged }), 'ChecksumMismatch', /000000001/);
      }
      const packed = gzipSync(raw, { level: 0 });
      const compressed = ovfWith({ chunkSize, compression: 'gzip', size: packed.length }, 'disk.vmdk');
      const image = await open(await tar({ 'a.ovf': compressed, ...chunksOf(packed) }));
      expect(await collect(image.reader.rest())).to.deep.equal(raw);
    });

    it('is refused where some are missing, cut, or in another order', async () => {
      const [first = '', second = '', third = '', ...more] = names;
      const only = (...some: string[]): Record<string, Buffer> =>
        Object.fromEntries(some.map((name) => [name, chunks[name] ?? Buffer.alloc(0)]));
      const start = { 'a.ovf': document };
      await expectFailure(await tar({ ...start, ...only(second) }), 'UnsupportedImage', /one after the other/);
      await expectFailure(await tar({ ...start, ...only(first, third) }), 'UnsupportedImage', /one after the other/);
      await expectFailure(
        await tar({ ...only(first, second, third, ...more), ...start }),
        'UnsupportedImage',
        /behind/,
      );
      await expectFailure(await tar({ ...start, ...only(first, second) }), 'TruncatedImage', /does not have all/);
      const cut = { ...chunks, [first]: chunks[first]?.subarray(0, 20_000) ?? '' };
      await expectFailure(
        await tar({ ...start, ...cut }),
        'TruncatedImage',
        /does not have all of disk.vmdk.000000000/,
      );
    });
  });
});
