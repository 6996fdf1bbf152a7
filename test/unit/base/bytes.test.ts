import { expect } from 'chai';
import fc from 'fast-check';
import { ByteReader, type ByteStream } from '../../../src/base/bytes.ts';
import { collect, lend } from './streams.ts';

describe('ByteReader', () => {
  const content = fc.uint8Array({ maxLength: 5000 }).map((bytes) => Buffer.from(bytes));
  const chunkLengths = fc.array(fc.integer({ min: 1, max: 600 }), { maxLength: 20 });
  const operation = fc.record({
    kind: fc.constantFrom('peek', 'take', 'skip', 'takeSome'),
    length: fc.integer({ min: 0, max: 1500 }),
  });

  it('gives the same bytes whatever the chunks and the ways of reading', async () => {
    await fc.assert(
      fc.asyncProperty(content, chunkLengths, fc.array(operation), async (bytes, lengths, operations) => {
        const reader = new ByteReader(lend(bytes, lengths));
        let at = 0;
        for (const { kind, length } of operations) {
          const expected = bytes.subarray(at, at + length);
          if (kind === 'peek') expect((await reader.peek(length)).equals(expected)).to.equal(true);
          if (kind === 'take') expect((await reader.take(length)).equals(expected)).to.equal(true);
          if (kind === 'skip') expect(await reader.skip(length)).to.equal(expected.length);
          let advance = kind === 'peek' ? 0 : expected.length;
          if (kind === 'takeSome') {
            const some = await reader.takeSome(length);
            expect(some.equals(bytes.subarray(at, at + some.length))).to.equal(true);
            if (expected.length > 0) expect(some.length).to.be.within(1, length);
            advance = some.length;
          }
          at += advance;
          expect(reader.position).to.equal(at);
        }
        expect((await collect(reader.rest())).equals(bytes.subarray(at))).to.equal(true);
      }),
    );
  });

  it('looks at what has been received without waiting, and passes over what comes before it only then', async () => {
    const reader = new ByteReader(lend(Buffer.from('abcdefghij'), [6, 4]));
    expect(reader.peekReceived(0, 1)).to.equal(undefined);
    await reader.peek(1);
    expect(reader.peekReceived(2, 4)?.toString()).to.equal('cdef');
    expect(reader.position).to.equal(2);
    expect(reader.peekReceived(1, 1), 'behind').to.equal(undefined);
    expect(reader.peekReceived(3, 4), 'not all received').to.equal(undefined);
    expect(reader.position).to.equal(2);
    expect((await reader.take(8)).toString()).to.equal('cdefghij');
  });

  it('does not touch memory that it was lent once that is taken back', async () => {
    const handedOver = async function* (): ByteStream {
      for (const text of ['first', 'second']) {
        const chunk = Buffer.from(new TextEncoder().encode(text).buffer);
        yield chunk;
        // As it goes to another thread.
        structuredClone(chunk.buffer, { transfer: [chunk.buffer] });
      }
    };
    const some = new ByteReader(handedOver());
    const taken: string[] = [];
    for (let left = 4; left > 0; left -= 1) taken.push((await some.takeSome(100)).toString());
    expect(taken).to.deep.equal(['first', 'second', '', '']);
    const pieces: [number, string, number][] = [];
    for await (const { offset, data, complete } of new ByteReader(handedOver()).pieces()) {
      pieces.push([offset, data.toString(), complete]);
    }
    expect(pieces).to.deep.equal([
      [0, 'first', 5],
      [5, 'second', 11],
      [11, '', 11],
    ]);
  });

  it('passes over long distances without reading them, where its input can be opened elsewhere', async () => {
    const bytes = Buffer.alloc(9 * 1024 * 1024, 'abcdefg');
    const opened: number[] = [];
    const openAt = (offset: number): ByteStream => {
      opened.push(offset);
      return lend(bytes.subarray(offset), [1000]);
    };
    const reader = new ByteReader(lend(bytes, [10, 10]), { size: bytes.length, openAt });
    await reader.take(15);
    expect(await reader.skip(5_000_000)).to.equal(5_000_000);
    expect((await reader.take(2000)).equals(bytes.subarray(5_000_015, 5_002_015))).to.equal(true);
    expect(await reader.skip(100)).to.equal(100);
    expect((await reader.take(10)).equals(bytes.subarray(5_002_115, 5_002_125))).to.equal(true);
    expect(await reader.drain()).to.equal(bytes.length - 5_002_125);
    expect(opened).to.deep.equal([5_000_015]);
  });

  it('counts what it drains, and closes its input', async () => {
    let closed = false;
    const reader = new ByteReader(
      (async function* () {
        try {
          yield Buffer.from('abc');
          yield Buffer.from('defg');
        } finally {
          closed = true;
        }
      })(),
    );
    await reader.take(2);
    expect(await reader.peek(3)).to.have.lengthOf(3);
    expect(closed).to.equal(false);
    await reader.close();
    expect(closed).to.equal(true);
    expect(await reader.take(1)).to.have.lengthOf(0);
    expect(await new ByteReader(lend(Buffer.alloc(10), [3])).drain()).to.equal(10);
  });
});
