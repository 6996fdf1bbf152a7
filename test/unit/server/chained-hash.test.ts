import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { array, assert, integer, property } from 'fast-check';
import { BLOCK_BYTES, ChainedHash } from '../../../src/server/chained-hash.ts';
import { noise } from '../../integration/support/images.ts';

const image = noise('chained', 2.5 * BLOCK_BYTES);
const digestOf = (bytes: Buffer): string => {
  const hash = ChainedHash.create();
  hash.update(bytes);
  return hash.digest();
};
const length = integer({ min: 0, max: image.length });

describe('a hash in blocks', () => {
  it('is the same however the bytes are cut', () => {
    assert(
      property(array(length, { maxLength: 5 }), (cuts) => {
        const hash = ChainedHash.create();
        const places = [...cuts.toSorted((a, b) => a - b), image.length];
        places.forEach((end, index) => hash.update(image.subarray(places[index - 1] ?? 0, end)));
        expect(hash.digest()).to.equal(digestOf(image));
        expect(hash.position).to.equal(image.length);
      }),
      { numRuns: 20 },
    );
  });

  it('goes on after any block, from the digest alone', () => {
    const ends: [number, string][] = [];
    ChainedHash.create().update(image, (position, digest) => ends.push([position, digest]));
    expect(ends.map(([position]) => position)).to.deep.equal([BLOCK_BYTES, 2 * BLOCK_BYTES]);
    for (const [position, digest] of ends) {
      expect(digest).to.equal(digestOf(image.subarray(0, position)));
      const hash = ChainedHash.after(position, digest);
      hash.update(image.subarray(position));
      expect(hash.digest()).to.equal(digestOf(image));
    }
    for (const position of [0, 1]) expect(() => ChainedHash.after(position, '')).to.throw(RangeError);
  });

  it('differs wherever a byte does', () => {
    assert(
      property(integer({ min: 0, max: image.length - 1 }), (at) => {
        const other = Buffer.from(image);
        other.writeUInt8(other.readUInt8(at) ^ 1, at);
        expect(digestOf(other)).not.to.equal(digestOf(image));
      }),
      { numRuns: 10 },
    );
  });

  it('is SHA-256 within the first block', () => {
    assert(
      property(integer({ min: 0, max: BLOCK_BYTES }), (size) => {
        const beginning = image.subarray(0, size);
        expect(digestOf(beginning)).to.equal(createHash('sha256').update(beginning).digest('hex'));
      }),
      { numRuns: 10 },
    );
  });

  it('can be copied, and told again and again', () => {
    const hash = ChainedHash.create();
    hash.update(image.subarray(0, 1000));
    const copy = hash.copy();
    hash.update(image.subarray(1000));
    expect(copy.digest())
      .to.equal(copy.digest())
      .and.to.equal(digestOf(image.subarray(0, 1000)));
    expect(hash.digest()).to.equal(digestOf(image));
  });
});
