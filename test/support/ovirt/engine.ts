import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { ImageDaemon, ServerFiles } from './image-daemon.ts';
import type { SimulatedDisk, SimulatedTransfer, Transfers } from './transfers.ts';
import { type EngineDocument, fromXml, toXml } from './xml-documents.ts';

/** Who may log in to a simulated engine. */
export const ovirtLogin = { user: 'admin@internal', password: 'opens/same+' } as const;
const API = '/ovirt-engine/api';
const DOMAIN = 'a0000000-0000-4000-8000-00000000000d';
const HOST = { id: 'a0000000-0000-4000-8000-00000000000e', name: 'host1' } as const;
/** Of engines that are not told how long a transfer may be idle. */
const INACTIVITY_SECONDS = 60;

/** An answer in place of the right one. */
export interface Fault {
  /** `POST /imagetransfers`: the method and the end of the path. */
  readonly request: RegExp;
  readonly status: number;
  readonly body?: EngineDocument;
  /** How often; once unless given. */
  readonly times?: number;
}

interface Answer {
  status: number;
  body: EngineDocument;
  /** What the body is called in XML; `fault` unless given. */
  element?: string;
}

const fault = (status: number, detail: string): Answer => ({ status, body: { reason: 'Operation Failed', detail } });
const found = (element: string, body: EngineDocument): Answer => ({ status: 200, body, element });
const notFound: Answer = { status: 404, body: {} };
const locked = fault(409, '[Cannot transfer Virtual Disk: Disk is locked. Please try again later.]');

/**
 * The part of an oVirt engine's API that image transfers need, as JSON, and as XML, which is all that oVirt's own SDK
 * speaks.
 */
export class SimulatedEngine {
  /** Requests as `METHOD path`, in their order. */
  readonly requests: string[] = [];
  readonly sessions = new Set<string>();
  /** All tokens that were ever given. */
  readonly tokens: string[] = [];
  /** How often a new transfer is told as initializing. */
  initializingLooks = 2;
  /** What it does with `shallow`, which engines before 4.4.9 do not know. */
  shallow: 'known' | 'ignored' | 'refused' = 'known';
  /** In place of the daemon's own port in URLs of transfers. */
  daemonPort: number | undefined;
  /** Port of the engine's proxy; undefined where it has none. */
  proxyPort: number | undefined;
  /** Seconds, in place of what a transfer asks for. */
  inactivityTimeout: number | undefined;
  readonly #disks = new Map<string, SimulatedDisk>();
  readonly #faults: { fault: Fault; left: number }[] = [];
  readonly #transfers: Transfers;
  readonly #daemon: ImageDaemon;
  readonly #address: string;
  #server: ReturnType<typeof createServer> | undefined;
  #port = 0;

  constructor(address: string, daemon: ImageDaemon, transfers: Transfers) {
    this.#address = address;
    this.#daemon = daemon;
    this.#transfers = transfers;
  }

  get url(): string {
    return `https://${this.#address}:${this.#port}${API}`;
  }

  async listen({ certificate, key }: ServerFiles): Promise<void> {
    const [cert, secret] = await Promise.all([readFile(certificate), readFile(key)]);
    const server = createServer({ cert, key: secret }, (request, response) => void this.#serve(request, response));
    server.listen(this.#port, this.#address);
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
    this.#server = undefined;
  }

  addDisk(disk: SimulatedDisk): void {
    this.#disks.set(disk.id, disk);
  }

  fail(fault: Fault): void {
    this.#faults.push({ fault, left: fault.times ?? 1 });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '' } = request;
    this.requests.push(`${method} ${url}`);
    const { accept, authorization } = request.headers;
    const isXml = accept === 'application/xml';
    const sent = await text(request);
    const { status, body, element } = await this.#answer(
      ...[`${method} ${url}`, sent, isXml ? fromXml : parseJson, authorization],
    ).catch((error: unknown) => fault(500, String(error)));
    response.writeHead(status, { 'content-type': isXml ? 'application/xml' : 'application/json' });
    response.end(isXml ? toXml(element ?? 'fault', body) : JSON.stringify(body));
  }

  async #answer(
    asked: string,
    body: string,
    parse: (body: string) => EngineDocument,
    authorization: string | undefined,
  ): Promise<Answer> {
    const planned = this.#faults.find(({ fault, left }) => left > 0 && fault.request.test(asked));
    if (planned !== undefined) {
      planned.left -= 1;
      if (planned.fault.status === 401) this.sessions.clear();
      return { status: planned.fault.status, body: planned.fault.body ?? {} };
    }
    if (asked === 'POST /ovirt-engine/sso/oauth/token') return this.#logIn(new URLSearchParams(body));
    if (asked === 'POST /ovirt-engine/services/sso-logout') {
      this.sessions.delete(new URLSearchParams(body).get('token') ?? '');
      return { status: 200, body: {} };
    }
    const token = /^Bearer (.*)$/.exec(authorization ?? '')?.[1] ?? '';
    if (!this.sessions.has(token)) return { status: 401, body: {} };
    const [, method = '', path = ''] = /^(\w+) \/ovirt-engine\/api(.*)$/.exec(asked) ?? [];
    if (method === 'GET' && path === '') return found('api', { product_info: { name: 'oVirt Engine' } });
    const [, kind = '', id = '', action = ''] = path.split('/');
    if (kind === 'disks') return this.#disk(id);
    if (kind === 'hosts') return found('host', HOST);
    if (kind === 'storagedomains' && action === '') return found('storage_domain', { id: DOMAIN, name: 'data' });
    if (kind === 'storagedomains') return this.#snapshots();
    if (method === 'POST' && id === '') return this.#begin(parse(body));
    const transfer = this.#transfers.all.find((one) => one.id === id);
    return transfer === undefined ? notFound : this.#onTransfer(transfer, action);
  }

  #logIn(form: URLSearchParams): Answer {
    if (form.get('username') !== ovirtLogin.user || form.get('password') !== ovirtLogin.password) {
      return {
        status: 400,
        body: {
          error_code: 'access_denied',
          error: 'Cannot authenticate user: The user name or password is incorrect.',
        },
      };
    }
    const token = randomUUID();
    this.sessions.add(token);
    this.tokens.push(token);
    return { status: 200, body: { access_token: token, scope: 'ovirt-app-api', token_type: 'bearer' } };
  }

  #disk(id: string): Answer {
    const disk = this.#disks.get(id);
    if (disk === undefined) return notFound;
    return found('disk', {
      ...{ id, image_id: disk.layers.at(-1)?.id, format: 'cow', status: 'ok', actual_size: '4096' },
      storage_domains: { storage_domain: [{ id: DOMAIN }] },
    });
  }

  #snapshots(): Answer {
    const all = [...this.#disks.values()].flatMap(({ layers }) =>
      layers.slice(0, -1).map(({ id }, index) => {
        const parent = layers[index - 1];
        return { id, ...(parent === undefined ? {} : { parent: { id: parent.id } }) };
      }),
    );
    return found('disk_snapshots', { disk_snapshot: all });
  }

  async #begin({ disk: reference, snapshot, shallow, inactivity_timeout }: TransferDocument): Promise<Answer> {
    const wantsShallow = String(shallow) === 'true';
    const isOf = ({ id, layers }: SimulatedDisk): boolean =>
      reference === undefined ? layers.some((layer) => layer.id === snapshot?.id) : id === reference.id;
    const disk = [...this.#disks.values()].find(isOf);
    if (disk === undefined) return notFound;
    if (this.#transfers.open.some((other) => other.disk.id === disk.id)) return locked;
    if (wantsShallow && this.shallow === 'refused') return fault(400, '[shallow is not known]');
    const isShallow = wantsShallow && this.shallow === 'known';
    const asked = { disk, snapshot: snapshot?.id, isShallow };
    const inactivityTimeout = this.inactivityTimeout ?? Number(inactivity_timeout ?? INACTIVITY_SECONDS);
    const transfer = await this.#transfers.begin({ ...asked, inactivityTimeout });
    return { ...found('image_transfer', this.#document(transfer)), status: 201 };
  }

  async #onTransfer(transfer: SimulatedTransfer, action: string): Promise<Answer> {
    if (action !== '') return this.#act(transfer, action);
    if (transfer.phase === 'initializing' && transfer.looks++ >= this.initializingLooks) {
      transfer.phase = 'transferring';
    }
    return found('image_transfer', this.#document(transfer));
  }

  async #act(transfer: SimulatedTransfer, action: string): Promise<Answer> {
    if (action === 'extend') await this.#transfers.extend(transfer);
    else {
      const isOpen = this.#transfers.open.includes(transfer);
      if (!isOpen) return fault(409, '[Cannot stop the transfer: it has ended]');
      await this.#transfers.end(transfer, action === 'finalize' ? 'finished_success' : 'finished_cleanup');
    }
    return found('action', { status: 'complete' });
  }

  #document({ id, phase, ticket, isShallow }: SimulatedTransfer): EngineDocument {
    const urlAt = (port: number): string => `https://${this.#address}:${port}/images/${ticket}`;
    const urls = {
      transfer_url: urlAt(this.daemonPort ?? this.#daemon.port),
      ...(this.proxyPort === undefined ? {} : { proxy_url: urlAt(this.proxyPort) }),
    };
    const host = { id: HOST.id, href: `${API}/hosts/${HOST.id}` };
    return { id, phase, host, ...(phase === 'initializing' ? {} : urls), shallow: String(isShallow) };
  }
}

interface TransferDocument {
  disk?: { id: string };
  snapshot?: { id: string };
  shallow?: boolean | string;
  inactivity_timeout?: number | string;
}

function parseJson(text: string): EngineDocument {
  return JSON.parse(text) as EngineDocument;
}
