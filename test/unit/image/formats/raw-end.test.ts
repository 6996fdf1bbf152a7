import { expect } from 'chai';
import fc from 'fast-check';
import { ByteReader } from '../../../../src/base/bytes.ts';
import type { DecodedDisk, Extent } from '../../../../src/base/extents.ts';
import { decodeDisk } from '../../../../src/image/formats/decode.ts';
import { checkedAtEnd, type RawGuess } from '../../../../src/image/formats/raw-end.ts';
import { lend } from '../../base/streams.ts';

const SECTOR = 512;

describe('the end of what looks raw', () => {
  const guess: RawGuess = { location: 'x', isCertain: false };
  const trailer = Buffer.alloc(SECTOR);
  trailer.write('koly');
  const disk = Buffer.concat([Buffer.alloc(5000, 'data'), Buffer.alloc(3192)]);
  const macDisk = Buffer.concat([disk, trailer]);

  function inPieces(content: Buffer, lengths: number[], order: number): DecodedDisk {
    const pieces: Extent[] = [];
    for (let at = 0, index = 0; at < content.length; index += 1) {
      const length = lengths[index % lengths.length] ?? content.length;
      pieces.push({ offset: at, data: content.subarray(at, at + length) });
      at += length;
    }
    pieces.sort((one, other) => ((one.offset * order) % 997) - ((other.offset * order) % 997));
    const extents = async function* (): DecodedDisk['extents'] {
      yield* pieces.filter(({ data }) => data.some((byte) => byte !== 0));
    };
    return { format: 'raw', virtualSize: content.length, position: 0, extents: extents() };
  }

  async function outcome(decoded: DecodedDisk): Promise<string> {
    try {
      for await (const extent of decoded.extents) expect(extent.data.length).to.be.greaterThan(0);
      return 'raw';
    } catch (error) {
      return (error as Error).message;
    }
  }

  const lengths = fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1 });

  it('is seen whatever order its pieces come in, and where zeros do not come', async () => {
    await fc.assert(
      fc.asyncProperty(lengths, fc.integer({ min: 1, max: 996 }), async (pieces, order) => {
        expect(await outcome(checkedAtEnd(inPieces(macDisk, pieces, order), guess, 0))).to.match(/macOS/);
        expect(await outcome(checkedAtEnd(inPieces(disk, pieces, order), guess, 0))).to.equal('raw');
        const odd = Buffer.concat([macDisk, Buffer.from('1')]);
        expect(await outcome(checkedAtEnd(inPieces(odd, pieces, order), guess, 0))).to.match(
          /8705 bytes are not whole/,
        );
      }),
      { numRuns: 100 },
    );
  });

  it('is seen by who goes on at any place, up to the very end', async () => {
    await fc.assert(
      fc.asyncProperty(lengths, fc.nat(macDisk.length), async (chunks, from) => {
        const decode = (bytes: Buffer) => decodeDisk('raw', new ByteReader(lend(bytes, chunks)), { from, guess });
        expect(await outcome(await decode(macDisk))).to.match(/macOS/);
        const decoded = await decode(Buffer.concat([disk, Buffer.alloc(SECTOR)]));
        let next = from;
        for await (const { offset, data } of decoded.extents) {
          expect(offset).to.equal(next);
          next += data.length;
          expect(decoded.position).to.equal(next);
        }
        expect(next).to.equal(macDisk.length);
      }),
      { numRuns: 50 },
    );
  });

  it('is not looked at where somebody says that it is raw', async () => {
    expect(await outcome(await decodeDisk('raw', new ByteReader(lend(macDisk, [100])), {}))).to.equal('raw');
  });
});
