import { mkdir, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Program } from '../child-process.ts';
import { freePorts } from '../ports.ts';
import { listening } from '../web-server.ts';
import { imageioProgram } from './imageio-program.ts';

/** PEM files of a server. */
export interface ServerFiles {
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

/** What the daemon tells of a ticket. */
export interface TicketInfo {
  /** Seconds since it was used. */
  readonly idle_time: number;
  /** Bytes. */
  readonly transferred?: number;
}

export interface Ticket {
  uuid: string;
  /** Of the image in bytes. */
  size: number;
  /** `nbd:unix:/path`. */
  url: string;
  /** Seconds until it expires; every request that has ended begins them anew. */
  timeout: number;
  /** Seconds after which an idle connection is closed. */
  inactivity_timeout: number;
}

/** A real ovirt-imageio daemon over TLS, with tickets by its control socket. */
export class ImageDaemon {
  readonly port: number;
  readonly #socket: string;
  readonly #start: () => Promise<Program>;
  #program: Program;

  private constructor(port: number, socket: string, program: Program, start: () => Promise<Program>) {
    this.port = port;
    this.#socket = socket;
    this.#program = program;
    this.#start = start;
  }

  /** @param state an existing folder for its own files */
  static async start(address: string, state: string, tls: ServerFiles): Promise<ImageDaemon> {
    const [port = 0] = await freePorts(1);
    const folder = join(state, `imageio-${port}`);
    const socket = join(folder, 'run', 'sock');
    await mkdir(join(folder, 'conf.d'), { recursive: true });
    await mkdir(join(folder, 'run'));
    await writeFile(join(folder, 'conf.d', 'daemon.conf'), configuration(address, port, folder, tls));
    const { program, args } = await imageioProgram('ovirt-imageio');
    const start = async (): Promise<Program> => {
      const started = new Program(program, [...args, '-c', folder], join(folder, 'daemon.log'));
      await listening(address, port, () => started.running);
      return started;
    };
    return new ImageDaemon(port, socket, await start(), start);
  }

  async addTicket(ticket: Ticket): Promise<void> {
    await this.#control('PUT', ticket.uuid, { ...ticket, ops: ['read'], sparse: true });
  }

  async ticket(uuid: string): Promise<TicketInfo> {
    return JSON.parse(await this.#control('GET', uuid)) as TicketInfo;
  }

  /** @param timeout in seconds */
  async extend(uuid: string, timeout: number): Promise<void> {
    await this.#control('PATCH', uuid, { timeout });
  }

  /** Cuts what is being read with it, too. */
  async removeTicket(uuid: string): Promise<void> {
    await this.#control('DELETE', uuid);
  }

  /** Starts again without tickets, as after the restart of a host. */
  async restart(): Promise<void> {
    await this.stop();
    this.#program = await this.#start();
  }

  stop(): Promise<void> {
    return this.#program.end('SIGKILL');
  }

  #control(method: string, ticket: string, body?: object): Promise<string> {
    return new Promise((resolve, reject) => {
      const asked = request({ socketPath: this.#socket, method, path: `/tickets/${ticket}` }, (response) => {
        const answered = async (): Promise<string> => {
          const answer = await text(response);
          const { statusCode = 0 } = response;
          if (statusCode >= 300)
            throw new Error(`the daemon answered ${statusCode} to ${method} of a ticket: ${answer}`);
          return answer;
        };
        answered().then(resolve, reject);
      });
      asked.on('error', reject);
      asked.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
}

function configuration(address: string, port: number, folder: string, tls: ServerFiles): string {
  return `[daemon]
systemd_enable = false
drop_privileges = false
run_dir = ${folder}/run
[tls]
enable = true
key_file = ${tls.key}
cert_file = ${tls.certificate}
ca_file = ${tls.authority}
[remote]
host = ${address}
port = ${port}
[local]
enable = false
[control]
transport = unix
socket = ${folder}/run/sock
remove_timeout = 5
[handlers]
keys = stderr
[logger_root]
level = INFO
handlers = stderr
`;
}
