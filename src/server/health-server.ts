import { createServer, type Server, type ServerResponse } from 'node:http';
import { closeWithConnections, listen } from './listen.ts';
import type { Metrics } from './metrics.ts';

/** @returns what is wrong, or undefined when all is well */
export type Check = () => string | undefined;

/** Serves /healthz and /readyz, which both list every check with its result, and metrics where it is given some. */
export class HealthServer {
  readonly #checks = { '/healthz': new Map<string, Check>(), '/readyz': new Map<string, Check>() };
  readonly #metrics: Metrics | undefined;
  readonly #server: Server;

  /** @param metrics whatever anybody may read at /metrics */
  constructor(metrics: Metrics | undefined) {
    this.#metrics = metrics;
    this.#server = createServer((request, response) => {
      this.#answer(request.url?.split('?')[0] ?? '/', response).catch((error: unknown) => {
        response.writeHead(500).end(String(error));
      });
    });
  }

  addCheck(path: '/healthz' | '/readyz', name: string, check: Check): void {
    this.#checks[path].set(name, check);
  }

  /**
   * @param port 0 for any free one
   * @returns the port
   */
  async listen(port: number, host?: string): Promise<number> {
    return listen(this.#server, { port, ...(host === undefined ? {} : { host }) });
  }

  async close(): Promise<void> {
    if (this.#server.listening) await closeWithConnections(this.#server);
  }

  async #answer(path: string, response: ServerResponse): Promise<void> {
    if (path === '/metrics' && this.#metrics) {
      const body = await this.#metrics.registry.metrics();
      response.writeHead(200, { 'content-type': this.#metrics.registry.contentType }).end(body);
    } else if (path === '/healthz' || path === '/readyz') {
      const results = [...this.#checks[path]].map(([name, check]) => ({ name, problem: check() }));
      const lines = results.map(({ name, problem }) =>
        problem === undefined ? `[+]${name} ok` : `[-]${name} ${problem}`,
      );
      const healthy = results.every(({ problem }) => problem === undefined);
      response.writeHead(healthy ? 200 : 503, { 'content-type': 'text/plain' });
      response.end([...lines, healthy ? 'ok' : 'failed', ''].join('\n'));
    } else {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('not found\n');
    }
  }
}
