import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { Progress } from '../../../../src/base/progress.ts';
import type { HttpBody } from '../../../../src/source/http/body.ts';
import type { ObjectIdentity } from '../../../../src/source/http/object-identity.ts';
import type { Answer, ObjectRequests } from '../../../../src/source/http/object-requests.ts';
import { ParallelDownload } from '../../../../src/source/http/parallel-download.ts';

const MEBIBYTE = 1024 * 1024;
const SIZE = 64 * MEBIBYTE;

/** A server whose answers are there at once. */
const requests = {
  range: (start: number, end: number) => {
    const body: HttpBody = {
      async *[Symbol.asyncIterator]() {
        for (let at = start; at < end; at += MEBIBYTE) {
          await turn();
          yield Buffer.alloc(Math.min(MEBIBYTE, end - at), (at / MEBIBYTE) % 251);
        }
      },
      dump: () => Promise.resolve(),
      destroy: () => undefined,
    };
    return Promise.resolve({ response: { body }, start } as unknown as Answer);
  },
} as unknown as ObjectRequests;

describe('a download over several connections', () => {
  it('fetches no further ahead than its first connections, for a consumer that never waits', async () => {
    const download = new ParallelDownload({
      requests,
      identity: {} as ObjectIdentity,
      start: 0,
      end: SIZE,
      connections: 4,
      progress: new Progress(),
      patience: { giveUpAfter: 1000, firstDelay: 1, longestDelay: 1 },
    });
    let position = 0;
    for await (const bytes of download.read()) {
      expect(bytes[0]).to.equal(Math.floor(position / MEBIBYTE) % 251);
      position += bytes.length;
      // Meanwhile everything arrives for which there is memory.
      for (let turns = 0; turns < 20; turns += 1) await turn();
    }
    expect(position).to.equal(SIZE);
    expect(download.memory.most).to.be.at.most(download.memory.limit / 2);
  });
});
