import { createHash, randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { array, assert, asyncProperty, integer } from 'fast-check';
import type { ByteStream } from '../../../../src/base/bytes.ts';
import { PrefixHashes } from '../../../../src/cli/upload/prefix-hashes.ts';

const SIZE = 10_000;
const DISTANCE = 1000;
const image = randomBytes(SIZE);

describe('hashes of the beginnings of an image', () => {
  let bytesRead = 0;
  async function* read(from: number, to = SIZE): ByteStream {
    for (let at = from; at < to; at += 300) {
      const chunk = image.subarray(at, Math.min(to, at + 300));
      bytesRead += chunk.length;
      yield chunk;
    }
  }
  const digestUpTo = (position: number) => createHash('sha256').update(image.subarray(0, position)).digest('hex');

  it('are right, in whatever order they are asked for', async () => {
    await assert(
      asyncProperty(array(integer({ min: 0, max: SIZE }), { minLength: 1 }), async (positions) => {
        const hashes = new PrefixHashes(createHash('sha256'), DISTANCE);
        for (const position of positions) {
          expect((await hashes.upTo(position, read)).digest('hex')).to.equal(digestUpTo(position));
        }
      }),
    );
  });

  it('are of what was passed on as well, of which little is read again', async () => {
    const hashes = new PrefixHashes(createHash('sha256'), DISTANCE);
    const hash = await hashes.upTo(0, read);
    for await (const chunk of hashes.follow(read(0), 0, hash)) void chunk;
    expect(hash.digest('hex')).to.equal(digestUpTo(SIZE));
    bytesRead = 0;
    expect((await hashes.upTo(7777, read)).digest('hex')).to.equal(digestUpTo(7777));
    expect(bytesRead).to.be.below(DISTANCE + 300);
  });
});
