import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import type { ClientRequest, IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { UploadServerSettings } from '../../../../src/pods/upload-server.ts';
import type { TransferTarget } from '../../../../src/protocol/transfer-pod.ts';
import { Authority, type KeyPair } from '../../../cluster/pki.ts';
import { RunningRole } from '../../support/running-role.ts';

/** The name in the server's certificate. */
const SERVER_NAME = 'cdi-upload-disk.team-a.svc';
export const CLIENT_NAME = 'client.upload-server.cdi.kubevirt.io';

/** What a server answered. */
export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

export interface UploadOptions {
  method?: string;
  path?: string;
  headers?: OutgoingHttpHeaders;
  body?: Buffer | AsyncIterable<Buffer>;
  /** The certificate of the client; by default that of the upload proxy. */
  client?: KeyPair;
}

interface StartOptions {
  target?: Partial<TransferTarget>;
  scratch?: boolean;
  /** The checkpoint that the pod before has reported. */
  checkpoint?: string;
  settings?: Partial<UploadServerSettings>;
}

/** The volume of one upload, its server as a process, and its client; all of it is gone after `dispose`. */
export class UploadRig {
  readonly directory: string;
  /** Root of the volume. */
  readonly target: string;
  readonly scratch: string;
  readonly serverAuthority: Authority;
  readonly clientAuthority: Authority;
  readonly client: KeyPair;
  readonly #servers: RunningRole[] = [];

  private constructor(directory: string, authorities: [Authority, Authority], client: KeyPair) {
    this.directory = directory;
    this.target = join(directory, 'target');
    this.scratch = join(directory, 'scratch');
    [this.serverAuthority, this.clientAuthority] = authorities;
    this.client = client;
  }

  static async create(): Promise<UploadRig> {
    const authorities = await Promise.all([Authority.create('uploadserver'), Authority.create('uploadserver-client')]);
    const client = await authorities[1].issue({ commonName: CLIENT_NAME });
    const rig = new UploadRig(await mkdtemp(join(tmpdir(), 'upload-')), authorities, client);
    await Promise.all([rig.target, rig.scratch, join(rig.directory, 'tls')].map((folder) => mkdir(folder)));
    await rig.certify(rig.serverAuthority, rig.clientAuthority);
    return rig;
  }

  get diskImage(): string {
    return join(this.target, 'disk.img');
  }

  /** Mounts a certificate of the server, and the authority of its client. */
  async certify(server: Authority, client: Authority): Promise<void> {
    const { certificate, key } = await server.issue({ commonName: 'upload server', names: [SERVER_NAME] });
    const files = { 'tls.crt': certificate, 'tls.key': key, 'ca.crt': client.certificate };
    for (const [name, content] of Object.entries(files)) {
      const draft = join(this.directory, 'draft');
      await writeFile(draft, content);
      await rename(draft, join(this.directory, 'tls', name));
    }
  }

  start({ target, scratch = false, checkpoint, settings }: StartOptions = {}): RunningRole {
    const overrides: Partial<UploadServerSettings> = {
      request: {
        target: {
          volumeMode: 'Filesystem',
          capacity: 1024 ** 3,
          filesystemOverhead: 0,
          preallocation: false,
          contentType: 'kubevirt',
          ...target,
        },
        scratch,
        ...(checkpoint === undefined ? {} : { checkpoint }),
      },
      dataDirectory: this.target,
      scratch: this.scratch,
      tlsDirectory: join(this.directory, 'tls'),
      host: '127.0.0.1',
      port: 0,
      progressPort: 0,
      ...settings,
    };
    const message = join(this.directory, `termination-${this.#servers.length}`);
    const server = new RunningRole('upload-server', overrides, message);
    this.#servers.push(server);
    return server;
  }

  /** Sends a request; resolves with the answer, whether everything was sent or not. */
  async send(server: RunningRole, options: UploadOptions): Promise<Answer> {
    return answerTo(await this.open(server, options));
  }

  /** Begins to send a request. */
  async open(
    server: RunningRole,
    { method = 'POST', path = '/v1beta1/upload', headers = {}, body, client = this.client }: UploadOptions,
  ): Promise<ClientRequest> {
    const request = httpsRequest({
      host: '127.0.0.1',
      port: await uploadPortOf(server),
      servername: SERVER_NAME,
      ca: this.serverAuthority.certificate,
      cert: client.certificate,
      key: client.key,
      agent: false,
      method,
      path,
      headers: { ...(Buffer.isBuffer(body) && { 'content-length': body.length }), ...headers },
    });
    // Looked at where the answer is awaited.
    request.on('error', () => undefined);
    if (body === undefined) request.end();
    else if (Buffer.isBuffer(body)) request.end(body);
    else
      Readable.from(body)
        .on('error', () => request.destroy())
        .pipe(request);
    return request;
  }

  /** Arguments for curl to reach the server. */
  async curlArguments(server: RunningRole, path: string): Promise<string[]> {
    const port = await uploadPortOf(server);
    const files = { ca: this.serverAuthority.certificate, cert: this.client.certificate, key: this.client.key };
    const names = Object.keys(files) as (keyof typeof files)[];
    await Promise.all(names.map((name) => writeFile(join(this.directory, name), files[name])));
    const at = (name: keyof typeof files): string => join(this.directory, name);
    return [
      ...['--silent', '--show-error', '--write-out', '%{http_code}'],
      ...['--cacert', at('ca'), '--cert', at('cert'), '--key', at('key')],
      ...['--resolve', `${SERVER_NAME}:${port}:127.0.0.1`, `https://${SERVER_NAME}:${port}${path}`],
    ];
  }

  async dispose(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.kill()));
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** The port that takes uploads. */
export async function uploadPortOf(server: RunningRole): Promise<number> {
  return Number((await server.stage('listening'))['port']);
}

/** Waits for the answer to a request; rejects when the connection breaks before. */
export async function answerTo(request: ClientRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request.once('error', reject);
    request.once('response', (response) => {
      const { statusCode = 0, headers } = response;
      text(response).then((body) => resolve({ status: statusCode, headers, text: body }), reject);
    });
  });
}

/** A raw disk with data that does not compress, text and holes. */
export function mixedDisk(mebibytes: number): Buffer {
  const MEBIBYTE = 1024 * 1024;
  const disk = Buffer.alloc(mebibytes * MEBIBYTE);
  for (let at = 0; at < disk.length; at += 4 * MEBIBYTE) {
    randomBytes(1.5 * MEBIBYTE).copy(disk, at + 12_345);
    disk.fill(`text at ${at} `, at + 2 * MEBIBYTE, at + 3 * MEBIBYTE);
  }
  // A boot sector, so that it is a disk for certain.
  disk.writeUInt16LE(0xaa55, 510);
  return disk;
}
