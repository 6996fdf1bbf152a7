import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { ImageDaemon, ServerFiles } from './image-daemon.ts';
import type { SimulatedDisk, SimulatedTransfer, Transfers } from './transfers.ts';

/** Who may log in to a simulated engine. */
export const ovirtLogin = { user: 'admin@internal', password: 'opens/same+' } as const;
const API = '/ovirt-engine/api';
const DOMAIN = 'a0000000-0000-4000-8000-00000000000d';

/** An answer in place of the right one. */
export interface Fault {
  /** `POST /imagetransfers`: the method and the end of the path. */
  readonly request: RegExp;
  readonly status: number;
  readonly body?: object;
  /** How often; once unless given. */
  readonly times?: number;
}

interface Answer {
  status: number;
  body: object;
}

const fault = (status: number, detail: string): Answer => ({ status, body: { reason: 'Operation Failed', detail } });
const notFound: Answer = { status: 404, body: {} };
const locked = fault(409, '[Cannot transfer Virtual Disk: Disk is locked. Please try again later.]');

/** The part of an oVirt engine's API that image transfers need, as JSON. */
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
    const body = await text(request);
    const answer = await this.#answer(`${method} ${url}`, body, request.headers.authorization).catch((error: unknown) =>
      fault(500, String(error)),
    );
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body));
  }

  async #answer(asked: string, body: string, authorization: string | undefined): Promise<Answer> {
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
    if (method === 'GET' && path === '') return { status: 200, body: { product_info: { name: 'oVirt Engine' } } };
    const [, kind = '', id = '', action = ''] = path.split('/');
    if (kind === 'disks') return this.#disk(id);
    if (kind === 'storagedomains') return this.#snapshots();
    if (method === 'POST' && id === '') return this.#begin(JSON.parse(body) as TransferDocument);
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
    return {
      status: 200,
      body: {
        ...{ id, image_id: disk.layers.at(-1)?.id, format: 'cow', status: 'ok', actual_size: '4096' },
        storage_domains: { storage_domain: [{ id: DOMAIN }] },
      },
    };
  }

  #snapshots(): Answer {
    const all = [...this.#disks.values()].flatMap(({ layers }) =>
      layers.slice(0, -1).map(({ id }, index) => {
        const parent = layers[index - 1];
        return { id, ...(parent === undefined ? {} : { parent: { id: parent.id } }) };
      }),
    );
    return { status: 200, body: { disk_snapshot: all } };
  }

  async #begin({ disk: reference, snapshot, shallow, inactivity_timeout }: TransferDocument): Promise<Answer> {
    const isOf = ({ id, layers }: SimulatedDisk): boolean =>
      reference === undefined ? layers.some((layer) => layer.id === snapshot?.id) : id === reference.id;
    const disk = [...this.#disks.values()].find(isOf);
    if (disk === undefined) return notFound;
    if (this.#transfers.open.some((other) => other.disk.id === disk.id)) return locked;
    if (shallow === true && this.shallow === 'refused') return fault(400, '[shallow is not known]');
    const isShallow = shallow === true && this.shallow === 'known';
    const asked = { disk, snapshot: snapshot?.id, isShallow };
    const inactivityTimeout = this.inactivityTimeout ?? inactivity_timeout;
    return { status: 201, body: this.#document(await this.#transfers.begin({ ...asked, inactivityTimeout })) };
  }

  async #onTransfer(transfer: SimulatedTransfer, action: string): Promise<Answer> {
    if (action === 'extend') await this.#transfers.extend(transfer);
    else if (action !== '') {
      const isOpen = this.#transfers.open.includes(transfer);
      if (!isOpen) return fault(409, '[Cannot stop the transfer: it has ended]');
      await this.#transfers.end(transfer, action === 'finalize' ? 'finished_success' : 'finished_cleanup');
    } else if (transfer.phase === 'initializing' && transfer.looks++ >= this.initializingLooks) {
      transfer.phase = 'transferring';
    }
    return { status: 200, body: this.#document(transfer) };
  }

  #document({ id, phase, ticket, isShallow }: SimulatedTransfer): object {
    const urlAt = (port: number): string => `https://${this.#address}:${port}/images/${ticket}`;
    const urls = {
      transfer_url: urlAt(this.daemonPort ?? this.#daemon.port),
      ...(this.proxyPort === undefined ? {} : { proxy_url: urlAt(this.proxyPort) }),
    };
    return { id, phase, ...(phase === 'initializing' ? {} : urls), shallow: String(isShallow) };
  }
}

interface TransferDocument {
  disk?: { id: string };
  snapshot?: { id: string };
  shallow?: boolean;
  inactivity_timeout: number;
}
