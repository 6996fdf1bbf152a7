import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** Answers every request with the same, and goes on as fast as it is taken, or with a pause, and without end. */
export class FloodingServer {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;

  private constructor(server: Server, sockets: Set<Socket>) {
    this.port = (server.address() as AddressInfo).port;
    this.#server = server;
    this.#sockets = sockets;
  }

  /** @param pause after each of what follows the head, in milliseconds */
  static async start(head: string, flood: string, pause = 0): Promise<FloodingServer> {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.once('close', () => sockets.delete(socket));
      socket.once('data', () => {
        socket.write(head);
        const pour = (): void => {
          if (socket.destroyed) return;
          if (pause > 0) socket.write(flood, () => setTimeout(pour, pause));
          else if (socket.write(flood)) setImmediate(pour);
          else socket.once('drain', pour);
        };
        pour();
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new FloodingServer(server, sockets);
  }

  stop(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
