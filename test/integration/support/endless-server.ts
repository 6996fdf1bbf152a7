import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Bytes that begin once, and go on for ever. */
export interface Endless {
  start: Buffer;
  again: Buffer;
}

const config = JSON.stringify({ config: { Env: [] } });
const layer = `sha256:${'0'.repeat(64)}`;

/** A web server whose files never end, and a registry of images whose only layer never ends. */
export class EndlessServer {
  readonly port: number;
  readonly #close: () => void;

  private constructor(port: number, close: () => void) {
    this.port = port;
    this.#close = close;
  }

  /** @param files by name, which is also the name of an image */
  static async start(files: Readonly<Record<string, Endless>>): Promise<EndlessServer> {
    const server = createServer((request, response) => {
      const path = request.url ?? '';
      const name = Object.keys(files).find((each) => path.includes(each));
      const file = name === undefined ? undefined : files[name];
      if (path === '/v2/') response.end('{}');
      else if (file === undefined) response.writeHead(404).end();
      else if (path.includes('/manifests/')) answerDocument(response, manifest());
      else if (path.includes(digestOf(config))) answerDocument(response, config);
      else if (request.method === 'HEAD') response.writeHead(200, { 'content-length': 2 ** 50 }).end();
      else answerForEver(response, file);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new EndlessServer((server.address() as AddressInfo).port, () => {
      server.close();
      server.closeAllConnections();
    });
  }

  stop(): void {
    this.#close();
  }
}

function manifest(): string {
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const layers = [{ digest: layer, size: 2 ** 50 }];
  return JSON.stringify({
    schemaVersion: 2,
    mediaType,
    config: { digest: digestOf(config), size: config.length },
    layers,
  });
}

function digestOf(document: string): string {
  return `sha256:${createHash('sha256').update(document).digest('hex')}`;
}

function answerDocument(response: ServerResponse, document: string): void {
  const { mediaType = 'application/json' } = JSON.parse(document) as { mediaType?: string };
  response.writeHead(200, { 'content-type': mediaType, 'content-length': document.length }).end(document);
}

function answerForEver(response: ServerResponse, { start, again }: Endless): void {
  response.writeHead(200, { 'content-length': 2 ** 50 });
  response.write(start);
  const goOn = (): void => {
    while (!response.destroyed && response.write(again));
  };
  response.on('drain', goOn);
  goOn();
}
