import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Program } from './child-process.ts';
import { freePorts } from './ports.ts';
import { listening } from './web-server.ts';

/** A proxy through which clients reach other servers. */
export interface ForwardProxy {
  /** `http://[user:password@]address:port` */
  readonly url: string;
  /** What it was asked for, one line each: `CONNECT host:port HTTP/1.1`, `GET http://host/path HTTP/1.1`. */
  requests(): Promise<string[]>;
  stop(): Promise<void>;
}

/**
 * Starts tinyproxy.
 *
 * @param options.state an existing folder for its own files
 * @param options.credentials that it asks for
 * @param options.connectPorts the only ports that it makes tunnels to; any unless given
 */
export async function startForwardProxy(options: {
  address: string;
  state: string;
  credentials?: { user: string; password: string };
  connectPorts?: number[];
}): Promise<ForwardProxy> {
  const { address, credentials, connectPorts = [] } = options;
  const [port = 0] = await freePorts(1);
  const folder = join(options.state, `proxy-${port}`);
  await mkdir(folder, { recursive: true });
  const log = join(folder, 'requests.log');
  const configuration = [
    `Port ${port}`,
    `Listen ${address}`,
    'Timeout 600',
    'MaxClients 100',
    `LogFile "${log}"`,
    'LogLevel Connect',
    ...(credentials ? [`BasicAuth ${credentials.user} ${credentials.password}`] : []),
    ...connectPorts.map((each) => `ConnectPort ${each}`),
  ];
  await writeFile(join(folder, 'tinyproxy.conf'), configuration.join('\n'));
  const program = new Program('tinyproxy', ['-d', '-c', join(folder, 'tinyproxy.conf')], join(folder, 'output.log'));
  await listening(address, port, () => program.running);
  const login = credentials ? `${credentials.user}:${credentials.password}@` : '';
  return {
    url: `http://${login}${address}:${port}`,
    requests: async () => {
      const text = await readFile(log, 'utf8');
      return [...text.matchAll(/Request \(file descriptor \d+\): (.+)/g)].map(([, line = '']) => line);
    },
    stop: () => program.end('SIGTERM'),
  };
}
