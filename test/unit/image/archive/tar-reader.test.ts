import { expect } from 'chai';
import { pack } from 'tar-stream';
import { ByteReader } from '../../../../src/base/bytes.ts';
import { readTar, type TarEntry } from '../../../../src/image/archive/tar-reader.ts';
import { collect, lend } from '../../base/streams.ts';
import { tar } from '../unwrap/unwrapping.ts';

async function readAll(
  bytes: Buffer,
  wanted: (entry: TarEntry) => boolean = () => true,
): Promise<Record<string, Buffer>> {
  const found: Record<string, Buffer> = {};
  for await (const entry of readTar(new ByteReader(lend(bytes, Array<number>(100).fill(700))))) {
    if (wanted(entry)) found[entry.path] = await collect(entry.body);
  }
  return found;
}

describe('readTar', () => {
  const members = {
    'a.txt': Buffer.from('hello'),
    empty: Buffer.alloc(0),
    [`${'long/'.repeat(60)}name`]: Buffer.alloc(5000, 'x'),
    ünïcode: Buffer.alloc(512, 'y'),
  };

  it('reads members with short, long and foreign names', async () => {
    expect(await readAll(await tar(members))).to.deep.equal(members);
  });

  it('passes over what nobody reads', async () => {
    expect(await readAll(await tar(members), ({ path }) => path === 'ünïcode')).to.deep.equal({
      ünïcode: members['ünïcode'],
    });
  });

  it('takes the end of the stream behind a member for the end of the archive', async () => {
    const whole = await tar(members);
    expect(await readAll(whole.subarray(0, whole.length - 1024))).to.deep.equal(members);
    expect(await readAll(whole.subarray(0, whole.length - 512))).to.deep.equal(members);
  });

  it('does without what the last member should be filled up with, where somebody else checks the stream', async () => {
    const whole = await tar({ 'a.txt': Buffer.from('hello') });
    for (const length of [512 + 5, 512 + 100]) {
      const reader = new ByteReader(lend(whole.subarray(0, length), []));
      for await (const { path, body } of readTar(reader, { isVerified: true })) {
        expect(path).to.equal('a.txt');
        expect((await collect(body)).toString()).to.equal('hello');
      }
      expect(await readAll(whole.subarray(0, length)).catch((reason: unknown) => reason)).to.include({
        code: 'TruncatedImage',
      });
    }
    const short = readTar(new ByteReader(lend(whole.subarray(0, 512 + 4), [])), { isVerified: true });
    await short.next();
    expect(await short.next().catch((reason: unknown) => reason)).to.have.property('code', 'TruncatedImage');
  });

  it('tells folders and links from files, and where links lead', async () => {
    const packing = pack();
    const long = `${'far/'.repeat(60)}away`;
    packing.entry({ name: 'folder/', type: 'directory' });
    packing.entry({ name: 'hard', type: 'link', linkname: 'a/b' });
    packing.entry({ name: 'symbolic', type: 'symlink', linkname: long });
    packing.entry({ name: 'pipe', type: 'fifo' });
    packing.finalize();
    const found = [];
    const bytes = await collect(packing as AsyncIterable<Buffer>);
    for await (const { path, type, linkPath } of readTar(new ByteReader(lend(bytes, [])))) {
      found.push([path, type, linkPath]);
    }
    expect(found).to.deep.equal([
      ['folder/', 'folder', undefined],
      ['hard', 'hard-link', 'a/b'],
      ['symbolic', 'symbolic-link', long],
      ['pipe', 'other', undefined],
    ]);
  });

  it('never takes part of an archive for the whole', async () => {
    const whole = await tar(members);
    for (const length of [100, 700, 3000, whole.length - 1025, whole.length - 1023]) {
      const error = await readAll(whole.subarray(0, length)).catch((reason: unknown) => reason);
      expect(error).to.have.property('code', 'TruncatedImage');
    }
  });

  it('refuses a damaged header', async () => {
    const damaged = await tar(members);
    damaged.writeUInt8(0x41, 1024 + 3);
    expect(await readAll(damaged).catch((reason: unknown) => reason)).to.have.property('code', 'InvalidImage');
  });
});
