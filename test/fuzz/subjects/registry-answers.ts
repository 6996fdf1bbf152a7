import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TransferError } from '../../../src/base/errors.ts';
import { Progress } from '../../../src/base/progress.ts';
import { RegistryClient } from '../../../src/source/registry/client.ts';
import { parseConfiguration, parseManifest, selectPlatform } from '../../../src/source/registry/manifest.ts';
import { parseImageReference } from '../../../src/source/registry/reference.ts';
import { Violation } from './subject.ts';

/** Between the parts of one: a challenge, the token server's answer, and a document. */
const SEPARATOR = '\f';
/** Stands for the token server, so that no damage can make it another one. */
const REALM = 'REALM';

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;
const challenge = `Bearer realm="${REALM}",service="registry.example",scope="repository:org/disk:pull"`;
const token = JSON.stringify({
  token: 'given',
  access_token: 'given',
  expires_in: 300,
  issued_at: '2024-01-01T00:00:00Z',
});
const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest, size: 100 };
const documents = [
  { schemaVersion: 2, config: { digest, size: 2 }, layers: [layer, layer] },
  {
    schemaVersion: 2,
    manifests: [
      { digest, size: 5, platform: { architecture: 'arm64', os: 'linux' } },
      { digest, size: 5, platform: { architecture: 'amd64', os: 'linux' } },
    ],
  },
  { architecture: 'amd64', config: { Env: ['PATH=/bin', 'KUBEVIRT_IO_OS=linux'] } },
];

export const registryAnswers: readonly string[] = documents.map((document) =>
  [challenge, token, JSON.stringify(document)].join(SEPARATOR),
);

export const registryTokens: readonly string[] = [
  ...['"', ',', '=', '{', '}', '[', ']', '{},', ':', '\\u001b[2J', '\\u0000', '1e999', '-1', 'null', '"a":', ' '],
  ...['bearer ', 'realm="', `"__proto__":{"token":"x"},`, 'a', `${digest}`],
];

/** In characters. */
const LONGEST_MESSAGE = 2000;

/** A registry that answers with whatever it is given, and a client that reads that. */
export class RegistryAttempts {
  readonly #server: Server;
  #parts: string[] = [];

  constructor() {
    this.#server = createServer((request, response) => {
      this.#answer(request, response);
    });
  }

  async attempt(bytes: Buffer): Promise<void> {
    this.#parts = bytes.toString('latin1').split(SEPARATOR);
    if (!this.#server.listening) await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const image = parseImageReference(`docker://${this.#host}/org/disk:1`);
    const closing = new AbortController();
    const patience = { giveUpAfter: 0, firstDelay: 0, longestDelay: 0 };
    const client = new RegistryClient(
      image,
      { insecureRegistry: true, patience, signal: closing.signal },
      new Progress(),
    );
    try {
      const document = await client.manifest('1');
      foreseen(() => parseConfiguration(document, 'there'));
      foreseen(() => {
        const parsed = parseManifest(document, 'there');
        if ('index' in parsed) selectPlatform(parsed.index, 'amd64', 'there');
      });
    } catch (error) {
      check(error);
    } finally {
      closing.abort();
      await client.close();
    }
  }

  get #host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const [asked = '', given = '', document = ''] = this.#parts;
    response.on('error', () => {});
    if (request.url?.startsWith('/token') === true) return void response.end(given, 'latin1');
    if (request.headers.authorization !== undefined) return void response.end(document, 'latin1');
    const header = asked.replaceAll(REALM, `http://${this.#host}/token`).replaceAll(/[^\x20-\x7e]/g, '?');
    response.writeHead(401, { 'www-authenticate': header.slice(0, 12_000) }).end();
  }
}

function foreseen(work: () => void): void {
  try {
    work();
  } catch (error) {
    check(error);
  }
}

/** Failures that are foreseen are none here, but what they say has to be printable. */
function check(error: unknown): void {
  if (!(error instanceof TransferError) || error.code === 'InternalError') throw error;
  if (error.message.length > LONGEST_MESSAGE || /[\p{Cc}\p{Cf}]/u.test(error.message)) {
    throw new Violation(`a message is not printable: ${JSON.stringify(error.message.slice(0, 200))}`);
  }
}
