import { expect } from 'chai';
import { pack } from 'tar-stream';
import { readTar, type TarEntry } from '../../../src/transfer/archive/tar-reader.ts';
import { ByteReader } from '../../../src/transfer/bytes.ts';
import { collect, lend } from './streams.ts';

async function archive(members: Record<string, Buffer>): Promise<Buffer> {
  const packing = pack();
  for (const [name, content] of Object.entries(members)) packing.entry({ name }, content);
  packing.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of packing) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

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
    expect(await readAll(await archive(members))).to.deep.equal(members);
  });

  it('passes over what nobody reads', async () => {
    expect(await readAll(await archive(members), ({ path }) => path === 'ünïcode')).to.deep.equal({
      ünïcode: members['ünïcode'],
    });
  });

  it('never takes part of an archive for the whole', async () => {
    const whole = await archive(members);
    for (const length of [100, 700, 3000, whole.length - 1024]) {
      const error = await readAll(whole.subarray(0, length)).catch((reason: unknown) => reason);
      expect(error).to.have.property('code', 'TruncatedImage');
    }
  });

  it('refuses a damaged header', async () => {
    const damaged = await archive(members);
    damaged.writeUInt8(0x41, 1024 + 3);
    expect(await readAll(damaged).catch((reason: unknown) => reason)).to.have.property('code', 'InvalidImage');
  });
});
