import { expect } from 'chai';
import { TransferError } from '../../../../src/base/errors.ts';
import type { HttpResponse } from '../../../../src/source/http/client.ts';
import type { Place } from '../../../../src/source/http/place.ts';
import { SettledRequest } from '../../../../src/source/http/settled-request.ts';

const body = {
  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, void> {},
  dump: () => Promise.resolve(),
  destroy: () => {},
};
const place: Place = {
  url: new URL('https://mirror.example/disk'),
  referrer: { url: new URL('https://first.example/disk'), network: 'public' },
  isAtFirstOrigin: false,
};

describe('requests after a redirect', () => {
  /** Whether each request went where the redirect had led. */
  let went: boolean[];
  const settled = (answers: (number | TransferError)[]): SettledRequest => {
    went = [];
    return new SettledRequest((_, at) => {
      went.push(at !== undefined);
      const status = went.length === 1 ? 206 : (answers.shift() ?? 206);
      if (status instanceof TransferError) return Promise.reject(status);
      const response: HttpResponse = { status, headers: {}, network: 'public', url: place.url, place, body };
      return Promise.resolve(response);
    });
  };
  const ask = async (request: SettledRequest, times: number): Promise<unknown[]> => {
    const outcomes: unknown[] = [];
    for (let count = 0; count < times; count += 1) {
      outcomes.push(
        await request.ask({}).then(
          ({ status }) => status,
          (error: unknown) => (error as TransferError).code,
        ),
      );
    }
    return outcomes;
  };

  it('go where it has led, until they begin anew', async () => {
    const request = settled([]);
    await ask(request, 3);
    request.leave();
    await ask(request, 2);
    expect(went).to.deep.equal([false, true, true, false, true]);
  });

  it('go to the first URL at once where they are refused for good', async () => {
    for (const refusal of [400, 401, 403, 404, 410, new TransferError('HostNotFound', 'there is no host')]) {
      expect(await ask(settled([refusal]), 3)).to.deep.equal([206, 206, 206]);
      expect(went).to.deep.equal([false, true, false, true]);
    }
  });

  it('stay where they are asked to wait, or a connection fails, and leave after three failures in a row', async () => {
    const lost = new TransferError('ConnectionRefused', 'it is down');
    expect(await ask(settled([503, 429, 206, lost, 503, lost]), 8)).to.deep.equal([
      206,
      503,
      429,
      206,
      'ConnectionRefused',
      503,
      'ConnectionRefused',
      206,
    ]);
    expect(went).to.deep.equal([false, true, true, true, true, true, true, false]);
  });

  it('are answered where a range is none there', async () => {
    expect(await ask(settled([416]), 3)).to.deep.equal([206, 416, 206]);
    expect(went).to.deep.equal([false, true, true]);
  });
});
