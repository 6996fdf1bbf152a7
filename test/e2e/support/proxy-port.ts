import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Connections that are refused are tried again for so long, as by a load balancer that has other servers. */
const PATIENCE_MILLISECONDS = 20_000;

/** Between two pieces of a connection that is slowed down. */
const PIECE_PAUSE_MILLISECONDS = 200;

/** What a connection is held at. */
interface Hold {
  /** Bytes that clients have sent over one connection. */
  readonly after: number;
  /** Whether it is slowed down, and not held. */
  readonly trickles: boolean;
  readonly reached: () => void;
  readonly released: Promise<void>;
  readonly closed: () => void;
}

/** Connections that are held, or will be. */
export interface Held {
  /** Resolves when all of them have come to where they are held. */
  readonly held: Promise<unknown>;
  /** Lets the rest pass. */
  readonly release: () => void;
  /** Resolves when each has ended, at whichever side. */
  readonly closed: Promise<unknown>;
}

/**
 * A port of this machine by which clients reach a server of the cluster, under the name `localhost`. It passes on what
 * they send, and can hold it at a given byte.
 */
export class ProxyPort {
  readonly #server: Server;
  readonly #to: { readonly host: string; readonly port: number };
  readonly #clients = new Set<Socket>();
  #holds: Hold[] = [];
  /** Bytes that clients have sent. */
  sent = 0;
  /** Connections that clients have made. */
  connections = 0;

  private constructor(server: Server, to: { readonly host: string; readonly port: number }) {
    this.#server = server;
    this.#to = to;
    server.on('connection', (client) => {
      this.#clients.add(client);
      this.connections += 1;
      client.on('error', () => undefined);
      client.on('close', () => this.#clients.delete(client));
      this.#pass(client).catch(() => client.destroy());
    });
  }

  static async start(to: { readonly host: string; readonly port: number }): Promise<ProxyPort> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new ProxyPort(server, to);
  }

  get url(): string {
    return `https://localhost:${(this.#server.address() as AddressInfo).port}`;
  }

  /**
   * Holds the next connections over which clients send so many bytes, each once; those of an earlier call no more.
   *
   * @param options.trickles whether some of what they send passes all the same: servers give up who sends nothing
   */
  holdAfter(bytes: number, { count = 1, trickles = false } = {}): Held {
    const promises = <T>() => Array.from({ length: count }, () => Promise.withResolvers<T>());
    const [reached, closed, released] = [promises<void>(), promises<void>(), Promise.withResolvers<void>()];
    this.#holds = reached.map(({ resolve }, index) => ({
      ...{ after: bytes, trickles, reached: resolve, released: released.promise },
      closed: () => closed[index]?.resolve(),
    }));
    const all = (each: readonly PromiseWithResolvers<void>[]) => Promise.all(each.map(({ promise }) => promise));
    return { held: all(reached), release: released.resolve, closed: all(closed) };
  }

  /** Breaks every connection. */
  cut(): void {
    for (const client of this.#clients) client.resetAndDestroy();
  }

  async stop(): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #pass(client: Socket): Promise<void> {
    const server = await this.#connect();
    let drained = (): void => undefined;
    server.on('drain', () => drained());
    server.on('error', () => client.resetAndDestroy());
    server.on('close', () => {
      client.destroy();
      drained();
    });
    client.on('close', () => server.destroy());
    server.pipe(client);
    let passed = 0;
    let held: Hold | undefined;
    for await (const chunk of client as AsyncIterable<Buffer>) {
      passed += chunk.length;
      this.sent += chunk.length;
      const [hold] = this.#holds;
      if (hold !== undefined && passed >= hold.after && !held) {
        this.#holds.shift();
        held = hold;
        client.once('close', hold.closed);
        hold.reached();
      }
      if (held) await Promise.race([held.released, ...(held.trickles ? [sleep(PIECE_PAUSE_MILLISECONDS)] : [])]);
      if (!server.write(chunk)) await new Promise<void>((resolve) => (drained = resolve));
    }
    server.end();
  }

  async #connect(): Promise<Socket> {
    const deadline = performance.now() + PATIENCE_MILLISECONDS;
    for (;;) {
      const socket = connect({ ...this.#to, timeout: 2000 });
      try {
        await Promise.race([once(socket, 'connect'), once(socket, 'timeout').then(() => Promise.reject(new Error()))]);
        socket.setTimeout(0);
        return socket;
      } catch (error) {
        socket.destroy();
        if (performance.now() > deadline) throw error;
        await sleep(100);
      }
    }
  }
}
