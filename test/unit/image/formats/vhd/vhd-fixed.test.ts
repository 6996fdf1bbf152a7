import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { ByteReader } from '../../../../../src/base/bytes.ts';
import { decodeDisk } from '../../../../../src/image/formats/decode.ts';
import type { DiskFormat } from '../../../../../src/image/formats/drivers.ts';
import { fixedVhdFooter } from '../../../../../src/image/formats/vhd/fixed.ts';
import { lend } from '../../../base/streams.ts';

const MEBIBYTE = 1024 * 1024;

describe('VHD of fixed size', () => {
  const disk = Buffer.concat([Buffer.alloc(MEBIBYTE), Buffer.alloc(MEBIBYTE - 3000, 'disk'), Buffer.alloc(3000)]);
  let vhd: Buffer;
  const guess = { location: 'x', isCertain: true };

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
    const decoded = await decodeDisk('raw', new ByteReader(lend(bytes, chunkLengths)), { size, from, guess });
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
        expect(decoded).to.include({ format: 'vhd', virtualSize: disk.length });
        expect(decoded.content.equals(disk)).to.equal(true);
      }),
      { numRuns: 50 },
    );
  });

  it('is not what a raw disk is taken for, whatever that ends with', async () => {
    const damaged = Buffer.from(vhd);
    damaged.writeUInt8(damaged.readUInt8(vhd.length - 400) ^ 1, vhd.length - 400);
    for (const raw of [disk, disk.subarray(0, 100), damaged, vhd.subarray(0, vhd.length - 2)]) {
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

  it('is refused where its footer is of another size of disk, unless somebody says that it is raw', async () => {
    const longer = Buffer.concat([Buffer.alloc(512), vhd]);
    const shorter = vhd.subarray(512);
    const codes = new Map([
      [longer, 'InvalidImage'],
      [shorter, 'TruncatedImage'],
    ]);
    for (const [bytes, code] of codes) {
      for (const known of [true, false]) {
        const failure: unknown = await decode(bytes, known, [70_000]).catch((error: unknown) => error);
        expect(failure).to.include({ code });
        expect((failure as Error).message).to.include(`${disk.length} bytes, and ${bytes.length - 512} come before it`);
      }
      const stated = await decodeDisk('raw', new ByteReader(lend(bytes, [70_000])), { size: bytes.length });
      expect(stated).to.include({ format: 'raw', virtualSize: bytes.length });
    }
  });

  it('is refused with a footer of 511 bytes, as it had before 2004', async () => {
    const old = vhd.subarray(0, vhd.length - 1);
    const failure: unknown = await decode(old, true, [70_000]).catch((error: unknown) => error);
    expect(failure).to.include({ code: 'UnsupportedImage' });
  });

  it('is read as what somebody says that it is', async () => {
    const stated = async (format: DiskFormat, bytes: Buffer): Promise<{ format: string; content: Buffer }> => {
      const decoded = await decodeDisk(format, new ByteReader(lend(bytes, [70_000])), { size: bytes.length });
      const pieces: Buffer[] = [];
      for await (const { data } of decoded.extents) pieces.push(Buffer.from(data));
      return { format: decoded.format, content: Buffer.concat(pieces) };
    };
    expect(await stated('vhd', vhd)).to.deep.equal({ format: 'vhd', content: disk });
    expect(await stated('raw', vhd)).to.deep.equal({ format: 'raw', content: vhd });
    const failure: unknown = await stated('vhd', disk).catch((error: unknown) => error);
    expect(failure).to.include({ code: 'InvalidImage' });
  });

  it('is told by its last bytes alone', async () => {
    const of = (bytes: Buffer) => fixedVhdFooter(bytes.subarray(-512), bytes.length);
    expect(of(vhd)).to.deep.equal(vhd.subarray(disk.length));
    for (const other of [disk, Buffer.alloc(10)]) expect(of(other)).to.equal(undefined);
  });
});
