import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface CuttingProxyOptions {
  /** Port on the loopback address that connections are passed on to. */
  to: number;
  /** Cut each connection after so many bytes of its answers. */
  cutAfter?: number;
  /** Pass on so many bytes of answers of the first connection, and then nothing more while it stays open. */
  stallAfter?: number;
}

/** A TCP proxy with the habits of a bad network. */
export class CuttingProxy {
  readonly #options: CuttingProxyOptions;
  readonly #server = createServer((client) => {
    this.#pass(client);
  });
  readonly #sockets = new Set<Socket>();
  connections = 0;
  /** Bytes of answers that were passed on. */
  bytes = 0;

  constructor(options: CuttingProxyOptions) {
    this.#options = options;
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  /** Cuts all connections. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }

  #pass(client: Socket): void {
    const isFirst = this.connections === 0;
    this.connections += 1;
    const server = connect(this.#options.to, '127.0.0.1');
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        client.destroy();
        server.destroy();
        this.#sockets.delete(socket);
      });
    }
    client.pipe(server);
    const { cutAfter = Infinity, stallAfter = Infinity } = this.#options;
    let passed = 0;
    server.on('data', (data: Buffer) => {
      const limit = isFirst ? Math.min(cutAfter, stallAfter) : cutAfter;
      const allowed = data.subarray(0, Math.max(0, limit - passed));
      passed += data.length;
      this.bytes += allowed.length;
      if (!client.write(allowed)) {
        server.pause();
        client.once('drain', () => server.resume());
      }
      if (passed >= cutAfter) client.end();
    });
  }
}
