import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { stringify } from 'yaml';

interface StoredObject {
  metadata: { name: string; namespace: string; annotations?: Record<string, string> };
  spec?: object;
  status?: Record<string, unknown>;
}

/** As much of an API server as an upload needs: it stores objects, and gives tokens. Nothing reconciles them. */
export class SmallCluster {
  readonly #server: Server;
  /** The objects, by their paths. */
  readonly objects = new Map<string, StoredObject>();
  /** What was asked: `METHOD path`. */
  readonly requests: string[] = [];
  /** Called with each object that is made, before it can be read. */
  onCreate: (object: StoredObject) => void = () => undefined;
  onToken: (token: string) => void = () => undefined;
  #tokens = 0;

  private constructor(server: Server) {
    this.#server = server;
    server.on('request', (request, response) => {
      this.#answer(request, response).catch(() => request.destroy());
    });
  }

  /** @param kubeConfig where to write the kubeconfig, whose namespace is `team` */
  static async start(kubeConfig: string): Promise<SmallCluster> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const configuration = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'small',
      // Plain http is not spoken otherwise.
      clusters: [{ name: 'small', cluster: { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true } }],
      users: [{ name: 'user', user: {} }],
      contexts: [{ name: 'small', context: { cluster: 'small', user: 'user', namespace: 'team' } }],
    };
    await writeFile(kubeConfig, stringify(configuration));
    return new SmallCluster(server);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '' } = request;
    const path = url.split('?')[0] ?? '';
    this.requests.push(`${method} ${path}`);
    const body = await text(request);
    const end = (status: number, value: object) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    };
    const found = this.objects.get(path);
    if (method === 'POST') {
      const object = JSON.parse(body) as StoredObject;
      if (path.endsWith('/uploadtokenrequests')) {
        this.#tokens += 1;
        const token = `token-${this.#tokens}`;
        this.onToken(token);
        return end(201, { ...object, status: { token } });
      }
      this.onCreate(object);
      this.objects.set(`${path}/${object.metadata.name}`, object);
      return end(201, object);
    }
    if (found === undefined) return end(404, { kind: 'Status', code: 404, message: `${path} not found` });
    if (method === 'PATCH') {
      const patch = JSON.parse(body) as StoredObject;
      found.metadata.annotations = { ...found.metadata.annotations, ...patch.metadata.annotations };
    }
    end(200, found);
  }
}
