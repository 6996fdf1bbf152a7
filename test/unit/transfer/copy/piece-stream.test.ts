import { expect } from 'chai';
import { PieceReader, PieceWriter } from '../../../../src/transfer/copy/piece-stream.ts';

/** The stream of a piece of each of these bytes. */
async function streamOf(...values: number[]): Promise<Buffer[]> {
  return Promise.all(
    values.map(async (value) => {
      const sent: Buffer[] = [];
      const writer = new PieceWriter((bytes) => Promise.resolve(void sent.push(Buffer.from(bytes))));
      await writer.add(Buffer.alloc(100, value));
      await writer.end();
      return sent[0] ?? Buffer.alloc(0);
    }),
  );
}

describe('the reader of a stream of pieces', () => {
  it('passes no piece on once it is settled, as the one before may be missing', async () => {
    const [first, second, third] = (await streamOf(1, 2, 3)) as [Buffer, Buffer, Buffer];
    const taken: number[] = [];
    const writing = Promise.withResolvers<undefined>();
    const reader = new PieceReader(async (piece) => {
      taken.push(piece[0] ?? 0);
      await writing.promise;
    });
    expect(reader.add(first)).to.equal(undefined);
    const waiting = Promise.resolve(reader.add(second)).then(() => reader.add(third));
    const settled = reader.settle();
    writing.resolve(undefined);
    await Promise.all([waiting, settled]);
    expect(taken).to.deep.equal([1]);
  });
});
