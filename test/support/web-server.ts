import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Authority } from '../cluster/pki.ts';
import { Program } from './child-process.ts';
import { eventually } from './eventually.ts';
import { freePorts } from './ports.ts';

/** What a web server of the tests asks for. */
export const webCredentials = { user: 'alice', password: 'wonder/land' } as const;
export const webToken = 'let-me-in';

/** A web server with the same files under several conditions. */
export interface WebServer {
  readonly port: number;
  /** `http://address:port`. Under it: */
  readonly url: string;
  /** … with a certificate of `authority`. */
  readonly httpsUrl: string;
  /** PEM. */
  readonly authority: string;
  /** Makes what is below `/unavailable/` answer 503, or no longer. */
  setUnavailable(unavailable: boolean): Promise<void>;
  /** How many bytes of one path it has sent, in the requests that have ended. */
  bytesSent(path: string): Promise<number>;
  stop(): Promise<void>;
}

/** Paths of a {@link WebServer} under which its files are. */
export const webPath = {
  /** Without conditions. */
  plain: '/plain',
  /** Wants {@link webCredentials}. */
  private: '/private',
  /** Wants the header `X-Token` with {@link webToken}. */
  token: '/token',
  /** Sends 2 MB a second. */
  slow: '/slow',
  /** Sends 300 kB a second over each connection: several take 20 s for a disk. */
  crawling: '/crawling',
  /** Answers 503 while it is told to. */
  unavailable: '/unavailable',
  /** Ignores ranges. */
  withoutRanges: '/without-ranges',
  /** Sends all requests on to {@link plain}. */
  redirected: '/redirected',
} as const;

/**
 * Starts nginx.
 *
 * @param options.state an existing folder for its own files
 * @param options.root the folder with the files that it serves
 * @param options.names by which it is called besides its address
 * @param options.port of its http; any unless given
 */
export async function startWebServer(options: {
  address: string;
  state: string;
  root: string;
  names?: string[];
  port?: number;
}): Promise<WebServer> {
  const { address, root, names = [] } = options;
  const [anyPort = 0, httpsPort = 0] = await freePorts(2);
  const port = options.port ?? anyPort;
  const folder = join(options.state, `web-${port}`);
  await mkdir(folder, { recursive: true });
  const authority = await Authority.create('Diskpress tests');
  const { certificate, key } = await authority.issue({ commonName: address, names: [address, ...names] });
  await writeFile(join(folder, 'server.crt'), certificate);
  await writeFile(join(folder, 'server.key'), key, { mode: 0o600 });
  await writeFile(join(folder, 'users'), `${webCredentials.user}:{PLAIN}${webCredentials.password}\n`);
  await writeFile(join(folder, 'nginx.conf'), configuration({ address, port, httpsPort, folder, root }));
  const log = join(folder, 'nginx.log');
  const program = new Program('nginx', ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', log], log);
  await listening(address, port, () => program.running);
  const switchFile = join(folder, 'unavailable');
  return {
    port,
    url: `http://${address}:${port}`,
    httpsUrl: `https://${address}:${httpsPort}`,
    authority: authority.certificate,
    setUnavailable: (unavailable) => (unavailable ? writeFile(switchFile, '') : rm(switchFile, { force: true })),
    bytesSent: async (path) => {
      // 127.0.0.1 - - [time] "GET /path HTTP/1.1" 206 12345 "-" "diskpress"
      const log = await readFile(join(folder, 'access.log'), 'utf8');
      const sent = log.split('\n').map((line) => / "GET (\S+) [^"]*" \d+ (\d+) /.exec(line));
      return sent.reduce((sum, match) => sum + (match?.[1] === path ? Number(match[2]) : 0), 0);
    },
    stop: () => program.end('SIGTERM'),
  };
}

/** Resolves when somebody takes connections there. */
export async function listening(address: string, port: number, alive: () => boolean): Promise<void> {
  await eventually(`something listens on ${address}:${port}`, () => {
    if (!alive()) throw new Error('the program has ended');
    return new Promise<boolean>((resolve) => {
      const socket = connect(port, address);
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
  });
}

function configuration(options: {
  address: string;
  port: number;
  httpsPort: number;
  folder: string;
  root: string;
}): string {
  const { address, port, httpsPort, folder, root } = options;
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const files = `alias ${root}/;`;
  return `${user} daemon off; master_process off; worker_processes 1; pid ${folder}/pid;
events {}
http {
  access_log ${folder}/access.log;
  types { text/html html; application/octet-stream img qcow2 gz xz zst vmdk; }
  ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')}
  server {
    listen ${address}:${port};
    listen ${address}:${httpsPort} ssl;
    ssl_certificate ${folder}/server.crt;
    ssl_certificate_key ${folder}/server.key;
    location ${webPath.plain}/ { ${files} }
    location ${webPath.private}/ { auth_basic disks; auth_basic_user_file ${folder}/users; ${files} }
    location ${webPath.token}/ { if ($http_x_token != "${webToken}") { return 403; } ${files} }
    location ${webPath.slow}/ { limit_rate 1m; ${files} }
    location ${webPath.crawling}/ { limit_rate 300k; ${files} }
    location ${webPath.unavailable}/ { if (-f ${folder}/unavailable) { return 503; } ${files} }
    location ${webPath.withoutRanges}/ { max_ranges 0; ${files} }
    location ${webPath.redirected}/ { rewrite ^${webPath.redirected}/(.*)$ ${webPath.plain}/$1 redirect; }
  }
}
`;
}
