import { expect } from 'chai';
import { limitedBody } from '../../../../src/transfer/copy/limited-body.ts';

describe('the answer of the other end of a clone', () => {
  it('is read as far as it may be long, and no further', async () => {
    let asked = 0;
    const body = async function* (pieces: number): AsyncGenerator<Buffer> {
      for (let count = 0; count < pieces; count += 1) {
        asked += 1;
        yield Buffer.alloc(100, 'x');
      }
    };
    expect(await limitedBody(body(10), 1000, 'there')).to.have.length(1000);
    asked = 0;
    const failure = await limitedBody(body(Infinity), 1000, 'there').catch((reason: unknown) => reason);
    expect(failure).to.include({ code: 'ProtocolViolation', permanent: true });
    expect(asked).to.equal(11);
  });
});
