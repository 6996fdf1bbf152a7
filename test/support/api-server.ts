import { generateKeyPairSync } from 'node:crypto';
import { rmSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { Agent, request } from 'undici';
import { kubernetesBinaries } from '../cluster/index.ts';
import { Program } from './child-process.ts';
import { eventually } from './eventually.ts';
import { freePorts } from './ports.ts';
import { type Usage, usageOf } from './process-usage.ts';

const ADMIN_TOKEN = 'admin-token';
const CONTROLLERS_TOKEN = 'controllers-token';
const CONTROLLERS = 'system:serviceaccount:cdi:cdi-sa';

const folders = new Set<string>();
process.on('exit', () => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

export interface ApiServerOptions {
  /** More flags of kube-apiserver. */
  readonly args?: readonly string[];
  /** Users who authenticate by a token: token to user name. Without RBAC rules they may do nothing. */
  readonly tokens?: Readonly<Record<string, string>>;
}

/**
 * A real kube-apiserver with its etcd, on loopback: the whole API, but nothing that acts on it (no scheduler, no
 * controllers: nothing collects garbage, and namespaces are never finalized).
 */
export class ApiServer {
  readonly adminToken = ADMIN_TOKEN;
  /** Of the controllers' ServiceAccount; what it may do says deploy/base/rbac.yaml, once that is applied. */
  readonly controllersToken = CONTROLLERS_TOKEN;
  readonly port: number;
  /** Names the kubeconfig file of a cluster administrator. */
  readonly kubeConfigPath: string;
  readonly #folder: string;
  readonly #etcdPort: number;
  readonly #binary: string;
  readonly #args: readonly string[];
  readonly #etcd: Program;
  #server: Program;
  #certificate = '';

  private constructor(folder: string, ports: [number, number], etcd: Program, binary: string, args: readonly string[]) {
    this.#folder = folder;
    [this.port, this.#etcdPort] = ports;
    this.kubeConfigPath = join(folder, 'kubeconfig');
    this.#etcd = etcd;
    this.#binary = binary;
    this.#args = args;
    this.#server = this.#spawn();
  }

  /** Starts both programs, and resolves when the API server is ready. */
  static async start(options: ApiServerOptions = {}): Promise<ApiServer> {
    const { etcd, kubeApiserver } = await kubernetesBinaries();
    const folder = await mkdtemp(join(tmpdir(), 'api-server-'));
    folders.add(folder);
    const [port, etcdPort, peerPort] = (await freePorts(3)) as [number, number, number];
    const { publicKey, privateKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });
    await writeFile(join(folder, 'service-account.pub'), publicKey);
    await writeFile(join(folder, 'service-account.key'), privateKey);
    const tokens = Object.entries(options.tokens ?? {}).map(([token, user]) => `${token},${user},${user}`);
    await writeFile(
      join(folder, 'tokens.csv'),
      [
        `${ADMIN_TOKEN},admin,admin,system:masters`,
        `${CONTROLLERS_TOKEN},${CONTROLLERS},controllers,system:serviceaccounts`,
        ...tokens,
        '',
      ].join('\n'),
    );
    const etcdUrl = `http://127.0.0.1:${etcdPort}`;
    const peerUrl = `http://127.0.0.1:${peerPort}`;
    const etcdArgs = [
      `--data-dir=${join(folder, 'etcd')}`,
      '--unsafe-no-fsync',
      `--listen-client-urls=${etcdUrl}`,
      `--advertise-client-urls=${etcdUrl}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=default=${peerUrl}`,
    ];
    const apiServerArgs = [
      `--etcd-servers=${etcdUrl}`,
      '--bind-address=127.0.0.1',
      `--secure-port=${port}`,
      // Nobody connects to it, but it has to be an address of no loopback interface.
      '--advertise-address=192.0.2.1',
      '--endpoint-reconciler-type=none',
      `--cert-dir=${join(folder, 'certificates')}`,
      `--token-auth-file=${join(folder, 'tokens.csv')}`,
      '--authorization-mode=RBAC',
      `--service-account-key-file=${join(folder, 'service-account.pub')}`,
      `--service-account-signing-key-file=${join(folder, 'service-account.key')}`,
      '--service-account-issuer=https://kubernetes.default.svc',
      '--service-cluster-ip-range=10.0.0.0/24',
      '--disable-admission-plugins=ServiceAccount',
      ...(options.args ?? []),
    ];
    const program = new Program(etcd, etcdArgs, join(folder, 'etcd.log'));
    const server = new ApiServer(folder, [port, etcdPort], program, kubeApiserver, apiServerArgs);
    try {
      await server.ready();
      await writeFile(server.kubeConfigPath, server.kubeConfig().exportConfig());
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  /**
   * The configuration of a client.
   *
   * @param options token: of another user than the administrator; port: of a proxy in front of the server
   */
  kubeConfig(options: { token?: string; port?: number } = {}): KubeConfig {
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromClusterAndUser(
      {
        name: 'test',
        server: `https://127.0.0.1:${options.port ?? this.port}`,
        caData: Buffer.from(this.#certificate).toString('base64'),
        skipTLSVerify: false,
      },
      { name: 'test', token: options.token ?? ADMIN_TOKEN },
    );
    return kubeConfig;
  }

  /** What the API server and etcd have used since they were started, each. */
  async usage(): Promise<{ readonly server: Usage; readonly etcd: Usage }> {
    const [server, etcd] = await Promise.all([usageOf(this.#server.pid), usageOf(this.#etcd.pid)]);
    return { server, etcd };
  }

  /** Resolves when the API server says that it is ready. */
  async ready(): Promise<void> {
    const dispatcher = new Agent({ connect: { rejectUnauthorized: false } });
    try {
      await eventually(
        'the API server is ready',
        async () => {
          if (!this.#server.running) throw new Error(`it ended:\n${await this.log()}`);
          const { statusCode, body } = await request(`https://127.0.0.1:${this.port}/readyz`, {
            dispatcher,
            headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
          });
          await body.dump();
          return statusCode === 200;
        },
        60_000,
      );
    } finally {
      await dispatcher.destroy();
    }
    this.#certificate = await readFile(join(this.#folder, 'certificates', 'apiserver.crt'), 'utf8');
  }

  /** The end of what kube-apiserver wrote. */
  async log(): Promise<string> {
    return (await readFile(join(this.#folder, 'kube-apiserver.log'), 'utf8')).split('\n').slice(-20).join('\n');
  }

  /** Kills the API server, without warning; etcd stays. */
  async kill(): Promise<void> {
    await this.#server.end('SIGKILL');
  }

  /** Starts a killed API server again, at the same address, and resolves when it is ready. */
  async restart(): Promise<void> {
    await this.kill();
    this.#server = this.#spawn();
    await this.ready();
  }

  /** Stops the API server's clock: connections stay open, and nothing moves. */
  pause(): void {
    this.#server.pause();
  }

  resume(): void {
    this.#server.resume();
  }

  /** Makes etcd forget every version but the present one. */
  async compact(): Promise<void> {
    const { header } = await this.#etcdCall('kv/range', { key: Buffer.from('/').toString('base64') });
    await this.#etcdCall('kv/compaction', { revision: header.revision, physical: true });
  }

  /** Ends both programs and removes their files. */
  async stop(): Promise<void> {
    await this.#server.end('SIGKILL');
    await this.#etcd.end('SIGKILL');
    await rm(this.#folder, { recursive: true, force: true });
    folders.delete(this.#folder);
  }

  #spawn(): Program {
    return new Program(this.#binary, this.#args, join(this.#folder, 'kube-apiserver.log'));
  }

  async #etcdCall(path: string, body: object): Promise<{ header: { revision: string } }> {
    const response = await request(`http://127.0.0.1:${this.#etcdPort}/v3/${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    const text = await response.body.text();
    if (response.statusCode !== 200) throw new Error(`etcd ${path}: ${text}`);
    return JSON.parse(text) as { header: { revision: string } };
  }
}

/**
 * A hook before that: waits until the API server is built, which takes minutes where no checkout has done so before.
 */
export async function kubernetesIsBuilt(this: Mocha.Context): Promise<void> {
  this.timeout(0);
  await kubernetesBinaries();
}

export async function startApiServer(options: ApiServerOptions = {}): Promise<ApiServer> {
  return ApiServer.start(options);
}
