import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { ByteReader } from '../../../src/transfer/bytes.ts';
import { decodeDisk } from '../../../src/transfer/formats/decode.ts';
import { readFixedVhdFooter } from '../../../src/transfer/formats/vhd/fixed.ts';
import { lend } from './streams.ts';

const MEBIBYTE = 1024 * 1024;

describe('VHD of fixed size', () => {
  const disk = Buffer.concat([Buffer.alloc(MEBIBYTE), Buffer.alloc(MEBIBYTE - 3000, 'disk'), Buffer.alloc(3000)]);
  let vhd: Buffer;

  before(() => {
    const folder = mkdtempSync(join(tmpdir(), 'diskpress-vhd-'));
    writeFileSync(join(folder, 'disk'), disk);
    const options = ['-f', 'raw', '-O', 'vpc', '-o', 'subformat=fixed,force_size=on'];
    execFileSync('qemu-img', ['convert', ...options, join(folder, 'disk'), join(folder, 'vhd')]);
    vhd = readFileSync(join(folder, 'vhd'));
    rmSync(folder, { recursive: true });
  });

  interface Decoded {
    format: string;
    virtualSize: number | undefined;
    content: Buffer;
  }

  async function decode(bytes: Buffer, known: boolean, chunkLengths: number[], from = 0): Promise<Decoded> {
    const size = known ? bytes.length : undefined;
    const decoded = await decodeDisk('raw', new ByteReader(lend(bytes, chunkLengths)), { size, from });
    const content = Buffer.from(bytes.subarray(0, from));
    const { virtualSize: atFirst } = decoded;
    const pieces: Buffer[] = [content];
    let end = from;
    for await (const { offset, data } of decoded.extents) {
      expect(offset).to.equal(end);
      pieces.push(Buffer.from(data));
      end += data.length;
      expect(decoded.position).to.equal(end);
    }
    const { format, virtualSize } = decoded;
    // What is told beforehand has to be right: targets are made as large.
    expect(atFirst ?? virtualSize).to.equal(virtualSize);
    return { format, virtualSize, content: Buffer.concat(pieces) };
  }

  const chunkLengths = fc.array(fc.oneof(fc.integer({ min: 1, max: 600 }), fc.integer({ min: 1, max: MEBIBYTE })));

  it('is its disk without the footer, in whatever pieces it comes', async () => {
    await fc.assert(
      fc.asyncProperty(chunkLengths, fc.boolean(), fc.nat(2 * MEBIBYTE), async (lengths, known, from) => {
        const decoded = await decode(vhd, known, lengths, from);
        expect(decoded).to.include({ format: 'vpc', virtualSize: disk.length });
        expect(decoded.content.equals(disk)).to.equal(true);
      }),
      { numRuns: 50 },
    );
  });

  it('is not what a raw disk is taken for, whatever that ends with', async () => {
    const otherSize = Buffer.concat([Buffer.alloc(512), vhd]);
    const damaged = Buffer.from(vhd);
    damaged.writeUInt8(damaged.readUInt8(vhd.length - 400) ^ 1, vhd.length - 400);
    for (const raw of [disk, disk.subarray(0, 100), otherSize, damaged, vhd.subarray(0, vhd.length - 1)]) {
      await fc.assert(
        fc.asyncProperty(chunkLengths, fc.boolean(), async (lengths, known) => {
          const decoded = await decode(raw, known, lengths);
          expect(decoded).to.include({ format: 'raw', virtualSize: raw.length });
          expect(decoded.content.equals(raw)).to.equal(true);
        }),
        { numRuns: 10 },
      );
    }
  });

  it('is told by its last bytes alone', async () => {
    const rangesOf = (bytes: Buffer) => ({
      size: bytes.length,
      read: async (offset: number, length: number) => bytes.subarray(offset, offset + length),
    });
    expect(await readFixedVhdFooter(rangesOf(vhd))).to.deep.equal(vhd.subarray(disk.length));
    for (const other of [disk, Buffer.alloc(10)]) expect(await readFixedVhdFooter(rangesOf(other))).to.equal(undefined);
  });
});
