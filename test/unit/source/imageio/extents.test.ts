import { expect } from 'chai';
import * as fc from 'fast-check';
import { readExtents } from '../../../../src/source/imageio/read-extents.ts';
import { rejection } from '../../../support/rejection.ts';

const extent = fc.record({ length: fc.integer({ min: 1, max: 2 ** 40 }), zero: fc.boolean(), hole: fc.boolean() });

async function* inPieces(text: string, size: number): AsyncGenerator<Buffer, void, void> {
  for (let at = 0; at < text.length; at += size) yield Buffer.from(text.slice(at, at + size));
}

const placed = (extents: readonly { length: number; zero: boolean; hole: boolean }[]) => {
  let start = 0;
  return extents.map((one) => {
    const at = { start, ...one };
    start += one.length;
    return at;
  });
};

const contentOf = (zero: boolean, hole: boolean, isDelta: boolean): string => {
  if (isDelta && hole) return 'unchanged';
  return zero ? 'zeros' : 'data';
};

describe('extents of an imageio daemon', () => {
  it('are the ranges of the disk, however they arrive, from any offset on', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(extent, { minLength: 1, maxLength: 40 }),
        fc.boolean(),
        fc.integer({ min: 1, max: 200 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        async (extents, isDelta, size, share) => {
          const told = placed(extents);
          const map = await readExtents(inPieces(JSON.stringify(told), size), isDelta, 'host');
          const total = told.reduce((sum, { length }) => sum + length, 0);
          expect(map.size).to.equal(total);
          const from = Math.floor(share * (total - 1));
          let end = from;
          let previous: string | undefined;
          for (const { offset, length, content } of map.from(from)) {
            expect(offset).to.equal(end);
            expect(content).not.to.equal(previous);
            for (const { start, length: own, zero, hole } of told) {
              if (start < offset + length && offset < start + own)
                expect(content).to.equal(contentOf(zero, hole, isDelta));
            }
            end = offset + length;
            previous = content;
          }
          expect(end).to.equal(total);
        },
      ),
    );
  });

  it('are refused with a gap, an overlap, an end too early, or something else in their place', async () => {
    for (const text of [
      '[{"start": 0, "length": 10, "zero": false}, {"start": 11, "length": 10, "zero": false}]',
      '[{"start": 0, "length": 10, "zero": false}, {"start": 9, "length": 10, "zero": false}]',
      '[{"start": 0, "length": 10, "zero": false},',
      '[{"start": 0, "length": 10}]',
      '{"message": "no"}',
      '<html>',
      `[${' '.repeat(5000)}`,
    ]) {
      expect(await rejection(readExtents(inPieces(text, 7), false, 'host')), text).to.include({
        code: 'ProtocolViolation',
      });
    }
  });

  it('have to tell what a snapshot leaves as it is', async () => {
    const told = '[{"start": 0, "length": 10, "zero": false}]';
    expect(await rejection(readExtents(inPieces(told, 100), true, 'host'))).to.include({ code: 'ProtocolViolation' });
  });
});
