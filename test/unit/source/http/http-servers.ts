import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { Authority } from '../../../cluster/pki.ts';

/** Servers on the loopback address, each on a port of its own. */
export class HttpServers {
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();

  http(listener: RequestListener): Promise<URL> {
    return this.#listen(createHttpServer(listener), 'http');
  }

  /** With a certificate that nobody knows. */
  async https(listener: RequestListener): Promise<URL> {
    const authority = await Authority.create('test');
    const { certificate, key } = await authority.issue({ commonName: 'x', names: ['127.0.0.1'] });
    return this.#listen(createHttpsServer({ cert: certificate, key }, listener), 'https');
  }

  /** Answers each connection's first bytes by what `answer` does. */
  tcp(answer: (socket: Socket) => void): Promise<URL> {
    const server = createTcpServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => {
        answer(socket);
      });
    });
    return this.#listen(server, 'http');
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(this.#servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
  }

  async #listen(server: Server, scheme: string): Promise<URL> {
    this.#servers.push(server);
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new URL(`${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  }
}

/**
 * Writes the same again and again, as fast as it is taken or with a pause in milliseconds, until the connection ends.
 */
export function repeat(socket: Socket, text: string, pause = 0): void {
  const timer = setInterval(() => socket.write(text), Math.max(pause, 1));
  socket.once('close', () => clearInterval(timer));
}
