import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP proxy that can misbehave as networks do. */
export class TcpProxy {
  readonly port: number;
  readonly #server: Server;
  readonly #pairs = new Set<[Socket, Socket]>();
  #refusing = false;
  #stalled = false;
  #delay = 0;
  /** Connections accepted so far. */
  connections = 0;
  /** Bytes passed to the clients so far. */
  received = 0;

  private constructor(server: Server, target: number, address: string) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (client) => this.#accept(client, target, address));
  }

  /**
   * @param target the port to which it passes connections on
   * @param address its own and the target's
   */
  static async start(target: number, address = '127.0.0.1'): Promise<TcpProxy> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, address, resolve));
    return new TcpProxy(server, target, address);
  }

  /** Resets every connection. New ones are accepted. */
  cut(): void {
    for (const [client, upstream] of this.#pairs) {
      client.resetAndDestroy();
      upstream.destroy();
    }
  }

  /** Resets every connection, and new ones at once, until told otherwise. */
  refuse(refusing: boolean): void {
    this.#refusing = refusing;
    if (refusing) this.cut();
  }

  /** Half-open: the connections that there are stay, and nothing passes through them ever again. New ones work. */
  stall(): void {
    for (const [client, upstream] of this.#pairs) {
      client.removeAllListeners('data').pause();
      upstream.removeAllListeners('data').pause();
    }
  }

  /** Nothing passes through any connection, new ones included, until told otherwise. */
  stallAll(stalled: boolean): void {
    this.#stalled = stalled;
    if (stalled) this.stall();
  }

  /** Each chunk towards the clients is passed on so many milliseconds late. */
  delay(milliseconds: number): void {
    this.#delay = milliseconds;
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(client: Socket, target: number, address: string): void {
    this.connections++;
    client.on('error', () => undefined);
    if (this.#refusing) {
      client.resetAndDestroy();
      return;
    }
    const upstream = connect(target, address);
    upstream.on('error', () => client.resetAndDestroy());
    const pair: [Socket, Socket] = [client, upstream];
    this.#pairs.add(pair);
    const close = () => {
      this.#pairs.delete(pair);
      client.destroy();
      upstream.destroy();
    };
    client.on('close', close);
    upstream.on('close', close);
    if (this.#stalled) return;
    client.on('data', (chunk) => upstream.write(chunk));
    upstream.on('data', (chunk) => {
      this.received += chunk.length;
      if (this.#delay === 0) {
        client.write(chunk);
        return;
      }
      // One chunk at a time keeps them in order, and makes the link slow as well as late.
      upstream.pause();
      setTimeout(() => {
        if (!client.destroyed) client.write(chunk);
        upstream.resume();
      }, this.#delay);
    });
  }
}
