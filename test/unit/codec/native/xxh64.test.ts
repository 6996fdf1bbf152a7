import { expect } from 'chai';
import fc from 'fast-check';
import { newXxh64, type Xxh64 } from '../../../../src/codec/native/xxh64.ts';

function create(): Xxh64 {
  const hash = newXxh64?.();
  if (hash === undefined) throw new Error('XXH64 cannot be called');
  return hash;
}

function hashOf(...parts: (Buffer | number)[]): number {
  const hash = create();
  for (const part of parts) {
    if (typeof part === 'number') hash.updateZeros(part);
    else hash.update(part);
  }
  return hash.lowestBits();
}

describe('XXH64', () => {
  it('is what others make of the same', () => {
    expect(hashOf()).to.equal(0x51d8e999);
    expect(hashOf(Buffer.from('abc'))).to.equal(0xad770999);
  });

  it('comes to the same where it is told of zeros only by their number', () => {
    const bytes = fc.uint8Array({ maxLength: 100 }).map((array) => Buffer.from(array));
    fc.assert(
      fc.property(fc.array(fc.oneof(bytes, fc.nat(200), fc.constant(17 * 1024 * 1024)), { maxLength: 6 }), (parts) => {
        const all = Buffer.concat(parts.map((part) => (typeof part === 'number' ? Buffer.alloc(part) : part)));
        expect(hashOf(...parts)).to.equal(hashOf(all));
      }),
      { numRuns: 60 },
    );
  });

  it('begins anew', () => {
    const hash = create();
    hash.update(Buffer.from('something else'));
    hash.updateZeros(5);
    hash.reset();
    hash.update(Buffer.from('abc'));
    expect(hash.lowestBits()).to.equal(0xad770999);
  });
});
