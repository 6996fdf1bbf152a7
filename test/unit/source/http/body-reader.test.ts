import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { BodyReader } from '../../../../src/source/http/body-reader.ts';
import { HttpClient } from '../../../../src/source/http/client.ts';
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
          const reader = new BodyReader((await client.request(url, {})).body);
          let read = 0;
          for (let turns = 0; read < memory.length; turns += 1) {
            const size = sizes[turns % sizes.length] ?? memory.length;
            read += await reader.read(memory.subarray(read, read + size));
          }
          expect(memory.equals(content)).to.equal(true);
          expect(await reader.read(Buffer.alloc(1))).to.equal(0);
        },
      ),
      { numRuns: 30 },
    );
    await client.close();
  });
});
