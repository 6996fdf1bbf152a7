import { execFileSync } from 'node:child_process';
import { crc32 } from 'node:zlib';
import { expect } from 'chai';
import { ByteReader } from '../../../src/base/bytes.ts';
import { TransferError } from '../../../src/base/errors.ts';
import { decompress, decompressAll } from '../../../src/codec/decompress/decompress.ts';
import { decodeDisk } from '../../../src/image/formats/decode.ts';
import { collect, lend } from '../../unit/base/streams.ts';

const MEBIBYTE = 1024 * 1024;
const BLOCK = 300_000;
const HEADER = 12;

/** Blocks of data, and many that are the same: nothing but zeros. */
const disk = Buffer.concat([
  Buffer.from(Uint8Array.from({ length: 2 * BLOCK }, (_, index) => (index * index * 7919) >>> 5)),
  Buffer.alloc(6 * BLOCK),
  Buffer.alloc(BLOCK, 'text '),
  Buffer.alloc(4 * BLOCK),
  Buffer.from('the end'),
]);

const layouts = {
  'blocks with their sizes': ['-T2', `--block-size=${BLOCK}`],
  'blocks without their sizes': ['-T1', `--block-size=${BLOCK}`],
  'one block': ['-T1'],
};
const checks = ['none', 'crc32', 'crc64', 'sha256'];

function xz(data: Buffer, ...options: string[]): Buffer {
  return execFileSync('xz', ['-0', ...options], { input: data, maxBuffer: 2 ** 28 });
}

async function decompressed(file: Buffer, natively: boolean, chunk = 70_000): Promise<Buffer> {
  const chunks = Array<number>(Math.ceil(file.length / chunk)).fill(chunk);
  return collect(decompress('xz', lend(file, chunks), natively));
}

/** Natively, in any order. */
async function assembled(file: Buffer): Promise<Buffer> {
  const { reader } = await decompressAll(new ByteReader(lend(file, Array<number>(100).fill(70_000))));
  try {
    const pieces: [offset: number, data: Buffer][] = [];
    let allBefore = 0;
    for await (const { offset, data, complete } of reader.pieces()) {
      expect(offset).to.be.at.least(allBefore);
      expect(complete).to.be.at.least(allBefore);
      allBefore = complete;
      pieces.push([offset, Buffer.from(data)]);
    }
    const content = Buffer.alloc(Math.max(...pieces.map(([offset, data]) => offset + data.length)));
    expect(allBefore).to.equal(content.length);
    for (const [offset, data] of pieces) data.copy(content, offset);
    return content;
  } finally {
    await reader.close();
  }
}

/** The code of the error that all ways to decompress a file end with. */
async function failure(file: Buffer): Promise<unknown> {
  const ways = [() => decompressed(file, true), () => decompressed(file, false), () => assembled(file)];
  const codes = await Promise.all(
    ways.map(async (way) => {
      try {
        await way();
        return undefined;
      } catch (error) {
        return error instanceof TransferError ? error.code : error;
      }
    }),
  );
  expect(new Set(codes).size, codes.join()).to.equal(1);
  return codes[0];
}

interface Parts {
  blocks: { start: number; end: number }[];
  /** Of the Index; the footer follows it. */
  indexStart: number;
}

/** The parts of a file with one Stream, found by its Index (xz-file-format.txt, section 4). */
function partsOf(file: Buffer): Parts {
  const indexStart = file.length - HEADER - (file.readUInt32LE(file.length - 8) + 1) * 4;
  let at = indexStart + 1;
  const number = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = file.readUInt8(at);
      at += 1;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  let start = HEADER;
  const blocks = Array.from({ length: number() }, () => {
    const end = start + Math.ceil(number() / 4) * 4;
    number();
    const block = { start, end };
    start = end;
    return block;
  });
  return { blocks, indexStart };
}

/** A copy with a byte changed. */
function changed(file: Buffer, at: number, value?: number): Buffer {
  const copy = Buffer.from(file);
  copy.writeUInt8(value ?? file.readUInt8(at) ^ 1, at);
  return copy;
}

/** A copy in which the CRC32 at the end of this part is right again. */
function resealed(file: Buffer, start: number, end: number): Buffer {
  const copy = Buffer.from(file);
  copy.writeUInt32LE(crc32(copy.subarray(start, end - 4)), end - 4);
  return copy;
}

/**
 * As qemu-img writes it (Virtual Hard Disk Image Format Specification, "Hard Disk Footer Format"), as far as it is
 * looked at.
 */
function fixedVhdFooter(size: number): Buffer {
  const footer = Buffer.alloc(512);
  footer.write('conectix');
  footer.writeBigUInt64BE(BigInt(size), 48);
  footer.writeUInt32BE(2, 60);
  const sum = footer.reduce((total, byte) => total + byte, 0);
  footer.writeUInt32BE(~sum >>> 0, 64);
  return footer;
}

describe('decompressing an xz file', function () {
  this.timeout(120_000);

  for (const [layout, options] of Object.entries(layouts)) {
    for (const check of checks) {
      it(`gives back what was compressed: ${layout}, check ${check}`, async () => {
        const file = xz(disk, ...options, `--check=${check}`);
        for (const natively of [true, false]) {
          expect((await decompressed(file, natively)).equals(disk)).to.equal(true);
        }
        expect((await assembled(file)).equals(disk)).to.equal(true);
      });
    }

    for (const check of checks.slice(1)) {
      it(`refuses data that is not what its check says: ${layout}, check ${check}`, async () => {
        const file = xz(disk, ...options, `--check=${check}`);
        for (const { end } of partsOf(file).blocks) {
          expect(await failure(changed(file, end - 1))).to.equal('InvalidImage');
        }
      });
    }
  }

  it('goes on from Stream to Stream, whatever their blocks, and over the padding between them', async () => {
    const streams = Object.values(layouts).map((options, index) => xz(disk, ...options, `--check=${checks[index]}`));
    const file = Buffer.concat(streams.flatMap((stream) => [stream, Buffer.alloc(8)]));
    const expected = Buffer.concat(streams.map(() => disk));
    for (const natively of [true, false]) {
      for (const chunk of [1_000_000, 5]) {
        expect((await decompressed(file, natively, natively ? chunk : 70_000)).equals(expected)).to.equal(true);
      }
    }
    expect((await assembled(file)).equals(expected)).to.equal(true);
    expect(await failure(Buffer.concat([file, Buffer.alloc(3)]))).to.equal('InvalidImage');
    expect(await failure(Buffer.concat([file, Buffer.from('garbage and more of it')]))).to.equal('InvalidImage');
  });

  it('has many more blocks than there are threads, and none', async () => {
    const small = xz(disk.subarray(0, BLOCK), '-T2', '--block-size=4096');
    const empty = xz(Buffer.alloc(0));
    for (const natively of [true, false]) {
      expect((await decompressed(small, natively)).equals(disk.subarray(0, BLOCK))).to.equal(true);
      expect((await decompressed(empty, natively)).length).to.equal(0);
    }
    expect((await assembled(small)).equals(disk.subarray(0, BLOCK))).to.equal(true);
    expect((await assembled(empty)).length).to.equal(0);
  });

  for (const layout of ['blocks with their sizes', 'blocks without their sizes'] as const) {
    it(`refuses an Index and a footer that lie: ${layout}`, async () => {
      const file = xz(disk, ...layouts[layout]);
      const { blocks, indexStart } = partsOf(file);
      const footer = file.length - HEADER;
      const lyingIndex = (at: number, value?: number): Buffer => resealed(changed(file, at, value), indexStart, footer);
      // The number of records, the sizes of the first and the last block.
      for (const at of [indexStart + 1, indexStart + 2, indexStart + 5, footer - 9]) {
        expect(await failure(lyingIndex(at)), `byte ${at - indexStart} of the Index`).to.equal('InvalidImage');
      }
      const huge = Buffer.concat([
        file.subarray(0, indexStart + 1),
        Buffer.from('ffffffffffffffff7f', 'hex'),
        Buffer.alloc(100_000, 1),
      ]);
      expect(await failure(huge)).to.equal('InvalidImage');
      const backwardSize = changed(file, file.length - 8);
      backwardSize.writeUInt32LE(crc32(backwardSize.subarray(-8, -2)), footer);
      expect(await failure(backwardSize)).to.equal('InvalidImage');
      const last = blocks.at(-1)!;
      const withoutBlock = Buffer.concat([file.subarray(0, last.start), file.subarray(last.end)]);
      expect(await failure(withoutBlock)).to.equal('InvalidImage');
    });

    it(`refuses a file that ends anywhere before its end: ${layout}`, async () => {
      const file = xz(disk, ...layouts[layout]);
      const { blocks, indexStart } = partsOf(file);
      const borders = [blocks[0]!.end, blocks[3]!.end, indexStart, file.length - HEADER, file.length];
      for (const end of borders.flatMap((border) => [border - 1, border, border + 1])) {
        if (end >= file.length) continue;
        expect(await failure(file.subarray(0, end)), `${end} of ${file.length} bytes`).to.equal('TruncatedImage');
      }
    });
  }

  it('refuses blocks whose sizes lie', async () => {
    const file = xz(disk, ...layouts['blocks with their sizes']);
    for (const { start } of partsOf(file).blocks) {
      const header = (file.readUInt8(start) + 1) * 4;
      // Those of the compressed data and of the data follow the flags; both have several bytes here.
      for (const at of [start + 2, start + 5]) {
        expect(await failure(resealed(changed(file, at), start, start + header))).to.equal('InvalidImage');
      }
    }
  });

  it('refuses a check that nobody can make, and a dictionary that takes too much memory', async () => {
    const file = xz(disk.subarray(0, 1000), '--check=crc32');
    // As long as a CRC32, in the header and the footer.
    const unknownCheck = changed(changed(file, 7, 2), file.length - 3, 2);
    unknownCheck.writeUInt32LE(crc32(unknownCheck.subarray(6, 8)), 8);
    unknownCheck.writeUInt32LE(crc32(unknownCheck.subarray(-8, -2)), file.length - HEADER);
    expect(await failure(unknownCheck)).to.equal('InvalidImage');
    const largeDictionary = resealed(changed(file, HEADER + 4, 36), HEADER, HEADER + 12);
    expect(await failure(largeDictionary)).to.equal('UnsupportedImage');
  });

  it('finds the footer of a VHD of fixed size, whatever blocks it lies in', async () => {
    const content = Buffer.concat([disk, Buffer.alloc(-disk.length & (MEBIBYTE - 1))]);
    const vhd = Buffer.concat([content, fixedVhdFooter(content.length)]);
    for (const block of [BLOCK, MEBIBYTE, 4096 + 300, vhd.length - 300, vhd.length - 80, 100_000]) {
      const file = xz(vhd, '-T2', `--block-size=${block}`);
      const { reader } = await decompressAll(new ByteReader(lend(file, [file.length])));
      const decoded = await decodeDisk('raw', reader, { guess: { location: 'x', isCertain: false } });
      const found = Buffer.alloc(content.length);
      for await (const { offset, data } of decoded.extents) {
        expect(offset + data.length).to.be.at.most(content.length);
        data.copy(found, offset);
      }
      expect(decoded, `blocks of ${block} bytes`).to.include({ format: 'vhd', virtualSize: content.length });
      expect(found.equals(content)).to.equal(true);
    }
  });

  it('tells of the first of several failures', async () => {
    const file = xz(disk, ...layouts['blocks with their sizes']);
    const { blocks } = partsOf(file);
    const damaged = changed(file, blocks[1]!.end - 8);
    expect(await failure(damaged.subarray(0, blocks[2]!.end - 20))).to.equal('InvalidImage');
    expect(await failure(damaged.subarray(0, blocks[1]!.end - 20))).to.equal('TruncatedImage');
  });
});
