import { expect } from 'chai';
import fc from 'fast-check';
import { type BlockRange, bytesIn, endOf } from '../../../src/base/block-range.ts';
import { RangeList } from '../../../src/snapshot-metadata/range-list.ts';

function collect(ranges: readonly BlockRange[], most: number): BlockRange[] {
  const list = new RangeList(most);
  for (const range of ranges) list.add(range);
  return list.finish();
}

describe('RangeList', () => {
  it('joins neighbours', () => {
    const ranges = [
      { offset: 0, length: 10 },
      { offset: 10, length: 5 },
      { offset: 20, length: 1 },
    ];
    expect(collect(ranges, 10)).to.deep.equal([
      { offset: 0, length: 15 },
      { offset: 20, length: 1 },
    ]);
  });

  it('merges those with the smallest gaps first', () => {
    const ranges = [0, 100, 102, 200].map((offset) => ({ offset, length: 1 }));
    expect(collect(ranges, 3)).to.deep.equal([
      { offset: 0, length: 1 },
      { offset: 100, length: 3 },
      { offset: 200, length: 1 },
    ]);
  });

  it('keeps at most as many as it may, and loses none', () => {
    const pairs = fc.array(fc.tuple(fc.nat({ max: 5 }), fc.integer({ min: 1, max: 5 })), { maxLength: 80 });
    fc.assert(
      fc.property(pairs, fc.integer({ min: 1, max: 8 }), (given, most) => {
        let at = 0;
        const ranges = given.map(([gap, length]) => {
          const range = { offset: at + gap, length };
          at = endOf(range);
          return range;
        });
        const kept = collect(ranges, most);
        expect(kept.length).to.be.at.most(most);
        expect(bytesIn(kept)).to.be.at.least(bytesIn(ranges));
        for (const range of ranges) {
          expect(kept.some((each) => each.offset <= range.offset && endOf(each) >= endOf(range))).to.equal(true);
        }
        for (const [index, each] of kept.entries()) {
          expect(each.offset).to.be.greaterThan(index === 0 ? -1 : endOf(kept[index - 1]!));
        }
      }),
    );
  });
});
