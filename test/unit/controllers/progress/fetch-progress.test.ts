import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { expect } from 'chai';
import { fetchProgress } from '../../../../src/controllers/progress/fetch-progress.ts';

const KIBIBYTE = 1024;
const progress = { stage: 'copying', bytesRead: 1, bytesWritten: 2, bytesPerSecond: 3, retries: 0 };
/** A body that is cut, what was underway with it, and the head. */
const MOST_BYTES_READ = 160 * KIBIBYTE;

describe('the progress of a pod that may be anybody’s', () => {
  const servers: Server[] = [];
  const sockets: Socket[] = [];
  const note = (message: unknown) => void sockets.push((message as { socket: Socket }).socket);

  beforeEach(() => {
    sockets.length = 0;
    subscribe('undici:client:connected', note);
  });
  afterEach(async () => {
    unsubscribe('undici:client:connected', note);
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    }
  });

  async function serve(listener: RequestListener): Promise<string> {
    const server = createServer(listener).listen(0, '127.0.0.1');
    servers.push(server);
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  const bytesRead = () => sockets.reduce((sum, socket) => sum + socket.bytesRead, 0);

  it('is read where it is one', async () => {
    const origin = await serve((_, response) => response.end(JSON.stringify(progress)));
    expect(await fetchProgress(origin)).to.include(progress);
  });

  it('is not read on where it has a MiB, whether or not its length is told', async () => {
    const text = JSON.stringify({ ...progress, more: 'x'.repeat(KIBIBYTE * KIBIBYTE) });
    for (const headers of [{ 'content-length': text.length }, {}]) {
      sockets.length = 0;
      const origin = await serve((_, response) => response.writeHead(200, headers).end(text));
      expect(await fetchProgress(origin)).to.equal(undefined);
      expect(bytesRead()).to.be.within(1, MOST_BYTES_READ);
    }
  });

  for (const status of [200, 404]) {
    it(`is cut off where it never ends, with status ${status}`, async () => {
      const origin = await serve((_, response) => {
        response.writeHead(status);
        const more = () => {
          while (!response.destroyed && response.write(Buffer.alloc(64 * KIBIBYTE, ' ')));
        };
        response.on('drain', more);
        more();
      });
      expect(await fetchProgress(origin)).to.equal(undefined);
      expect(bytesRead()).to.be.within(1, MOST_BYTES_READ);
      expect(sockets.every(({ destroyed }) => destroyed)).to.equal(true);
    });
  }

  it('is given up where its head has no end', async () => {
    const origin = await serve(({ socket }) => {
      const more = () => {
        while (!socket.destroyed && socket.write(`x-more: ${'x'.repeat(KIBIBYTE)}\r\n`));
      };
      socket.write('HTTP/1.1 200 OK\r\n');
      socket.on('drain', more);
      socket.on('error', () => undefined);
      more();
    });
    expect(await fetchProgress(origin)).to.equal(undefined);
    expect(bytesRead()).to.be.within(1, MOST_BYTES_READ);
  });

  it('is not looked for where a redirect says', async () => {
    let asked = 0;
    const other = await serve((_, response) => {
      asked += 1;
      response.end(JSON.stringify(progress));
    });
    const origin = await serve((_, response) => response.writeHead(302, { location: `${other}/progress` }).end());
    expect(await fetchProgress(origin)).to.equal(undefined);
    expect(asked).to.equal(0);
  });
});
