import { expect } from 'chai';
import fc from 'fast-check';
import { TransferError } from '../../../../src/base/errors.ts';
import {
  type DiskExtent,
  type DiskExtents,
  encodeExtents,
  ExtentDecoder,
} from '../../../../src/transfer/copy/extent-stream.ts';

/** Runs that cover a small disk, each of data or of zeros. */
const disks = fc
  .array(fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.integer({ min: 1, max: 2 ** 45 })), {
    maxLength: 12,
  })
  .map((runs) => {
    let offset = 0;
    const extents = runs.map((run): DiskExtent => {
      const extent =
        typeof run === 'number'
          ? { offset, length: run }
          : { offset, length: run.length, data: Buffer.from(run.buffer, run.byteOffset, run.length) };
      offset += extent.length;
      return extent;
    });
    return { size: offset, extents };
  });

async function encode({ size, extents }: { size: number; extents: DiskExtent[] }): Promise<Buffer> {
  const list = async function* (): AsyncGenerator<DiskExtent[]> {
    for (let at = 0; at < extents.length; at += 3) yield extents.slice(at, at + 3);
  };
  return streamOf({ size, extents: list() });
}

async function streamOf(disk: DiskExtents): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const some of encodeExtents(disk)) pieces.push(...some.map((piece) => Buffer.from(piece)));
  return Buffer.concat(pieces);
}

/** Decodes a stream that arrives in pieces of the given lengths, and joins neighbouring extents of one kind. */
function decode(stream: Buffer, size: number, lengths: number[] = []): DiskExtent[] {
  const decoder = new ExtentDecoder(size);
  const decoded: DiskExtent[] = [];
  let position = 0;
  for (let turn = 0; position < stream.length; turn += 1) {
    const length = lengths.length > 0 ? (lengths[turn % lengths.length] ?? 1) : stream.length;
    for (const extent of decoder.decode(stream.subarray(position, position + length))) {
      if ('code' in extent) throw new Error('a check that was not sent');
      decoded.push(extent);
    }
    position += length;
  }
  decoder.end();
  return decoded;
}

function joined(extents: DiskExtent[]): DiskExtent[] {
  const result: DiskExtent[] = [];
  for (const { offset, length, data } of extents) {
    const last = result.at(-1);
    if (last && last.offset + last.length === offset && Boolean(last.data) === Boolean(data)) {
      last.length += length;
      if (last.data && data) last.data = Buffer.concat([last.data, data]);
    } else {
      result.push({ offset, length, ...(data && { data: Buffer.from(data) }) });
    }
  }
  return result;
}

function code(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    expect(error).to.be.instanceOf(TransferError);
    return (error as TransferError).code;
  }
  return undefined;
}

describe('the stream of a disk without its zeros', () => {
  it('brings every disk across, however the stream is cut into pieces', async () => {
    await fc.assert(
      fc.asyncProperty(disks, fc.array(fc.integer({ min: 1, max: 64 }), { maxLength: 5 }), async (disk, lengths) => {
        expect(joined(decode(await encode(disk), disk.size, lengths))).to.deep.equal(joined(disk.extents));
      }),
    );
  });

  it('takes no byte per zero', async () => {
    const terabyte = 2 ** 40;
    expect(await encode({ size: terabyte, extents: [{ offset: 0, length: terabyte }] })).to.have.length.below(100);
  });

  it('is refused wherever it ends early', async () => {
    await fc.assert(
      fc.asyncProperty(disks, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), async (disk, share) => {
        const stream = await encode(disk);
        const cut = stream.subarray(0, Math.floor(stream.length * share));
        expect(code(() => decode(cut, disk.size))).to.equal('StreamCorrupted');
      }),
    );
  });

  it('is refused where records are missing, repeated, or go beyond the disk', async () => {
    const data = Buffer.alloc(10, 1);
    const size = 30;
    const refused = async (extents: DiskExtent[]): Promise<void> => {
      const stream = await encode({ size, extents });
      expect(code(() => decode(stream, size))).to.equal('StreamCorrupted');
    };
    await refused([{ offset: 0, length: 10, data }]);
    await refused([
      { offset: 0, length: 10, data },
      { offset: 20, length: 10, data },
    ]);
    await refused([
      { offset: 0, length: 10, data },
      { offset: 0, length: 10, data },
      { offset: 10, length: 20 },
    ]);
    await refused([{ offset: 0, length: 31 }]);
    await refused([
      { offset: 0, length: 0 },
      { offset: 0, length: 30 },
    ]);
  });

  it('is refused when it is of another disk, no such stream, or does not stop at its end', async () => {
    const stream = await encode({ size: 30, extents: [{ offset: 0, length: 30 }] });
    expect(code(() => decode(stream, 31))).to.equal('StreamCorrupted');
    expect(code(() => decode(Buffer.from('not a stream of extents'), 30))).to.equal('StreamCorrupted');
    expect(code(() => decode(Buffer.concat([stream, Buffer.from([0])]), 30))).to.equal('StreamCorrupted');
  });

  it('leaves parts out only for a target that holds a base', async () => {
    const list = async function* (): AsyncGenerator<DiskExtent[]> {
      yield [{ offset: 0, length: 20, isUnchanged: true }];
      yield [{ offset: 20, length: 10 }];
    };
    const checks = [{ offset: 5, code: 77n }];
    const stream = await streamOf({ size: 30, checks, extents: list() });
    const decoder = new ExtentDecoder(30, 0, { holdsBase: true });
    expect([...decoder.decode(stream)]).to.deep.equal([
      { offset: 5, code: 77n },
      { offset: 0, length: 20, isUnchanged: true },
      { offset: 20, length: 10 },
    ]);
    decoder.end();
    expect(code(() => decode(stream, 30))).to.equal('StreamCorrupted');
  });

  it('never makes more of a broken stream than the disk holds', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), fc.boolean(), fc.boolean(), (bytes, withHeader, holdsBase) => {
        const header = Buffer.from('DPXTENT1\0\0\0\0\0\0\0\x64', 'latin1');
        const stream = Buffer.concat([withHeader ? header : Buffer.alloc(0), bytes]);
        const decoder = new ExtentDecoder(100, 0, { holdsBase });
        try {
          for (const extent of decoder.decode(stream)) {
            expect(extent.offset + ('code' in extent ? 1 : extent.length)).to.be.at.most(100);
          }
        } catch (error) {
          expect(error).to.be.instanceOf(TransferError);
        }
      }),
    );
  });
});
