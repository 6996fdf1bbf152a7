import { createServer, type Server, type ServerResponse } from 'node:http';
import { listen } from '../../src/server/listen.ts';

/** An object, as far as the simulation knows it. */
export interface Listed {
  readonly metadata: { readonly name: string; readonly namespace: string; resourceVersion?: string };
}

/** An API server that has DataVolumes and nothing else, and answers lists and watches of all namespaces. */
export class SimulatedApi {
  readonly #dataVolumes: Listed[];
  readonly #watches = new Set<ServerResponse>();
  readonly #server: Server;
  #version = 1;

  constructor(dataVolumes: readonly Listed[]) {
    this.#dataVolumes = [...dataVolumes];
    this.#server = createServer((request, response) => {
      const { pathname, searchParams: query } = new URL(request.url ?? '/', 'http://localhost');
      response.setHeader('content-type', 'application/json');
      const isOurs = pathname.endsWith('/datavolumes');
      if (query.get('watch') === 'true') this.#watch(response, isOurs);
      else response.end(JSON.stringify(this.#page(isOurs ? this.#dataVolumes : [], query)));
    });
  }

  /** @returns the address */
  async start(): Promise<string> {
    return `http://127.0.0.1:${await listen(this.#server, { port: 0, host: '127.0.0.1' })}`;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  /** Tells all watches of a change. */
  change(object: Listed): void {
    this.#version += 1;
    const changed = { ...object, metadata: { ...object.metadata, resourceVersion: String(this.#version) } };
    for (const watch of this.#watches) watch.write(`${JSON.stringify({ type: 'MODIFIED', object: changed })}\n`);
  }

  #watch(response: ServerResponse, isOurs: boolean): void {
    response.writeHead(200);
    response.flushHeaders();
    if (!isOurs) return;
    this.#watches.add(response);
    response.once('close', () => this.#watches.delete(response));
  }

  #page(objects: readonly Listed[], query: URLSearchParams): object {
    const from = Number(query.get('continue') ?? 0);
    const to = from + Number(query.get('limit') ?? objects.length);
    const metadata = { resourceVersion: '1', ...(to < objects.length && { continue: String(to) }) };
    return { metadata, items: objects.slice(from, to) };
  }
}
