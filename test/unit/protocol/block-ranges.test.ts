import { expect } from 'chai';
import fc from 'fast-check';
import { type BlockRange, bytesIn, endOf, gapsBetween } from '../../../src/base/block-range.ts';
import {
  decodeBlockRanges,
  encodeBlockRanges,
  LONGEST_BLOCK_RANGES,
  MOST_BLOCK_RANGES,
} from '../../../src/protocol/block-ranges.ts';

const someRanges = fc
  .array(fc.tuple(fc.nat({ max: 2 ** 40 }), fc.integer({ min: 1, max: 2 ** 40 })), { maxLength: 200 })
  .map((pairs) => {
    let at = 0;
    const ranges: BlockRange[] = [];
    for (const [gap, length] of pairs) {
      ranges.push({ offset: at + gap, length });
      at += gap + length;
    }
    return ranges;
  });

describe('ranges of a volume', () => {
  it('are what they were after they have been written and read', () => {
    fc.assert(
      fc.property(someRanges, fc.nat({ max: 2 ** 40 }), (ranges, rest) => {
        const capacity = (ranges.at(-1) ? endOf(ranges.at(-1)!) : 0) + rest;
        expect(decodeBlockRanges(encodeBlockRanges({ capacity, ranges }))).to.deep.equal({ capacity, ranges });
        expect(bytesIn(ranges) + bytesIn([...gapsBetween(ranges, capacity)])).to.equal(capacity);
      }),
    );
  });

  it('fit into a Secret where they are as many as may be, and hardly compress', () => {
    let at = 0;
    let seed = 1;
    const random = () => 1 + ((seed = (seed * 48_271) % 2_147_483_647) % 400_000_000);
    const ranges = Array.from({ length: MOST_BLOCK_RANGES }, () => {
      const range = { offset: at + random() * 512, length: random() * 512 };
      at = endOf(range);
      return range;
    });
    expect(encodeBlockRanges({ capacity: at, ranges }).length).to.be.lessThan(LONGEST_BLOCK_RANGES);
    expect(() => encodeBlockRanges({ capacity: at + 1, ranges: [...ranges, { offset: at, length: 1 }] })).to.throw(
      'too many',
    );
  });

  it('are refused where something is wrong with them', () => {
    const valid = Buffer.from(encodeBlockRanges({ capacity: 4096, ranges: [{ offset: 0, length: 512 }] }), 'base64');
    const otherVersion = Buffer.from(valid);
    otherVersion[0] = 2;
    const wrong = [
      '',
      'not a document',
      otherVersion.toString('base64'),
      valid.subarray(0, -2).toString('base64'),
      'A'.repeat(LONGEST_BLOCK_RANGES + 1),
      encodeBlockRanges({ capacity: 256, ranges: [{ offset: 0, length: 512 }] }),
      encodeBlockRanges({ capacity: 512, ranges: [{ offset: 0, length: 0 }] }),
    ];
    for (const text of wrong) {
      expect(() => decodeBlockRanges(text))
        .to.throw('is not understood')
        .with.property('code', 'RequestNotUnderstood');
    }
  });

  it('of a hostile document take no more memory than of a valid one', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        try {
          decodeBlockRanges(Buffer.from([1, ...bytes]).toString('base64'));
        } catch (error) {
          expect((error as { code?: string }).code).to.equal('RequestNotUnderstood');
        }
      }),
    );
  });
});
