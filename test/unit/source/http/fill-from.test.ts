import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { HttpClient } from '../../../../src/source/http/client.ts';
import { fillFrom } from '../../../../src/source/http/fill-from.ts';
import { noise } from '../../../integration/support/images.ts';

const content = noise('fill', 3 * 1024 * 1024);

describe('a body that is read into memory', () => {
  let server: Server;
  let url: URL;
  /** Sizes of the pieces in which an answer is sent, in turn. */
  let pieces: number[] = [];
  let isChunked = false;

  before(async () => {
    server = createServer((_request, response) => {
      const send = async (): Promise<void> => {
        if (!isChunked) response.setHeader('content-length', content.length);
        for (let at = 0, turns = 0; at < content.length; turns += 1) {
          const size = pieces[turns % pieces.length] ?? content.length;
          response.write(content.subarray(at, at + size));
          at += size;
          await turn();
        }
        response.end();
      };
      void send();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  });

  after(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  it('is the same, however it arrives, over one connection after another answer', async () => {
    const client = new HttpClient({});
    const memory = Buffer.alloc(content.length);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 2_000, max: 700_000 }), { minLength: 1, maxLength: 6 }),
        fc.boolean(),
        async (sizes, chunked) => {
          [pieces, isChunked] = [sizes, chunked];
          memory.fill(0);
          let told = 0;
          const { body } = await client.request(url, {});
          expect(await fillFrom(body, memory, (bytes) => (told += bytes))).to.equal(true);
          expect(told).to.equal(content.length);
          expect(memory.equals(content)).to.equal(true);
        },
      ),
      { numRuns: 30 },
    );
    await client.close();
  });

  it('is not complete where it ends before the memory does, and refused where it is longer', async () => {
    const client = new HttpClient({});
    [pieces, isChunked] = [[100_000], true];
    const ask = async (length: number): Promise<boolean> => {
      const { body } = await client.request(url, {});
      return fillFrom(body, Buffer.alloc(length), () => {});
    };
    expect(await ask(content.length + 1)).to.equal(false);
    expect(await ask(content.length - 1)).to.equal(false);
    await client.close();
  });
});
