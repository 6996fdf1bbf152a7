import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { execPath } from 'node:process';
import { createInterface } from 'node:readline';

const LISTEN = `require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, function () {
  console.log(this.address().port);
});`;
/** More than the kernel accepts on behalf of a process that does not. */
const CONNECTIONS = 8;

/** A port at which the kernel leaves attempts to connect without an answer. */
export class SilentServer {
  readonly port: number;
  readonly #process: ChildProcess;
  readonly #connections: readonly Socket[];

  private constructor(port: number, process: ChildProcess, connections: readonly Socket[]) {
    this.port = port;
    this.#process = process;
    this.#connections = connections;
  }

  static async start(): Promise<SilentServer> {
    const process = spawn(execPath, ['-e', LISTEN], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(createInterface(process.stdout), 'line')) as [string];
    process.kill('SIGSTOP');
    const port = Number(line);
    const connections = Array.from({ length: CONNECTIONS }, () => connect({ port, host: '127.0.0.1' }));
    for (const connection of connections) connection.on('error', () => {});
    // Two fill the queue; the others are left without an answer, like all that follow.
    await Promise.all(connections.slice(0, 2).map((connection) => once(connection, 'connect')));
    return new SilentServer(port, process, connections);
  }

  async stop(): Promise<void> {
    for (const connection of this.#connections) connection.destroy();
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await ended;
  }
}
