import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Client, credentials, type ServiceClientConstructor, type ServiceError } from '@grpc/grpc-js';
import { run } from '../../csi-driver/command.ts';
import { loadCsiServices } from '../../csi-driver/csi-services.ts';
import type { Snapshot, Volume } from '../../csi-driver/messages.ts';
import { spawnBound } from '../../support/bound-child.ts';

const MAIN = join(import.meta.dirname, '../..', 'csi-driver', 'main.ts');

interface Capabilities {
  capabilities: { service?: { type: string } | null; rpc?: { type: string } | null }[];
}

/** What the methods answer with that tests call; the fields that they look at. */
export interface Answers {
  GetPluginCapabilities: Capabilities;
  ControllerGetCapabilities: Capabilities;
  NodeGetCapabilities: Capabilities;
  CreateVolume: { volume: Volume };
  DeleteVolume: object;
  CreateSnapshot: { snapshot: Snapshot };
  ListSnapshots: { entries: { snapshot: Snapshot }[] };
  GetCapacity: { available_capacity: number };
  ControllerExpandVolume: { capacity_bytes: number; node_expansion_required: boolean };
  NodePublishVolume: object;
  NodeUnpublishVolume: object;
  NodeExpandVolume: object;
  NodeGetVolumeStats: { usage: { unit: string; total: number; available: number }[] };
}

/** A running driver of one node, with clients of its services. */
export class CsiDriver {
  readonly socketPath: string;
  readonly registrationDirectory: string;
  readonly #arguments: string[];
  readonly #clients: Client[];
  #process: ChildProcess | undefined;

  constructor(pool: XfsPool, nodeId: string, proto: string, more: string[] = []) {
    this.socketPath = join(pool.directory, `${nodeId}.sock`);
    this.registrationDirectory = join(pool.directory, `${nodeId}-plugins`);
    const flags = {
      '--endpoint': `unix://${this.socketPath}`,
      '--node-id': nodeId,
      '--pool': pool.mountPoint,
      '--proto': proto,
      '--kubelet-registration-dir': this.registrationDirectory,
    };
    this.#arguments = [...Object.entries(flags).flat(), ...more];
    const { Identity, Controller, Node } = loadCsiServices(proto);
    this.#clients = [Identity, Controller, Node].map((service) => connect(service, this.socketPath));
  }

  /** Starts the process, and resolves when it serves. */
  async start(): Promise<void> {
    const child = spawnBound(process.execPath, [MAIN, ...this.#arguments], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#process = child;
    const lines = createInterface(child.stderr!);
    const log: string[] = [];
    await new Promise<void>((resolve, reject) => {
      lines.on('line', (line) => {
        log.push(line);
        if (/ serving\b/.test(line)) {
          resolve();
        }
      });
      child.once('exit', (code) => reject(new Error(`the driver ended with ${code}: ${log.join('\n')}`)));
    });
  }

  /** Calls a method of any of the services by its name. */
  async call<Method extends keyof Answers>(method: Method, request: object = {}): Promise<Answers[Method]> {
    const client = this.#clients.find((each) => method in each);
    if (!client) {
      throw new Error(`csi.proto has no method ${method}`);
    }
    return (await callMethod(client, method, request)) as Answers[Method];
  }

  /** Calls a method that has to fail, and resolves with its error. */
  async failure(method: keyof Answers, request: object): Promise<ServiceError> {
    try {
      await this.call(method, request);
    } catch (error) {
      return error as ServiceError;
    }
    throw new Error(`${method} was answered, though it should have failed`);
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child && child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      child.kill(signal);
      await ended;
    }
  }

  /** Stops the process and disconnects. */
  async close(): Promise<void> {
    for (const client of this.#clients) {
      client.close();
    }
    await this.stop();
  }
}

export function connect(service: ServiceClientConstructor, socketPath: string): Client {
  return new service(`unix://${socketPath}`, credentials.createInsecure(), {
    'grpc.initial_reconnect_backoff_ms': 20,
    'grpc.max_reconnect_backoff_ms': 100,
  });
}

export function callMethod(client: Client, method: string, request: object): Promise<object> {
  const unary = (client as unknown as Record<string, (...parameters: unknown[]) => void>)[method];
  return new Promise((resolve, reject) => {
    unary?.call(client, request, { waitForReady: true }, (error: ServiceError | null, answer: object) =>
      error ? reject(error) : resolve(answer),
    );
  });
}

/** An XFS filesystem with reflink in a sparse file, mounted in a temporary folder. */
export class XfsPool {
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async create(sizeBytes: number): Promise<XfsPool> {
    const pool = new XfsPool(await mkdtemp(join(tmpdir(), 'csi-driver-')));
    const image = join(pool.directory, 'pool.img');
    const file = await open(image, 'wx');
    await file.truncate(sizeBytes);
    await file.close();
    await run('mkfs.xfs', '-q', '-m', 'reflink=1', image);
    await mkdir(pool.mountPoint);
    await run('mount', '-o', 'loop', image, pool.mountPoint);
    return pool;
  }

  get mountPoint(): string {
    return join(this.directory, 'pool');
  }

  /** A path that does not exist yet, where a volume can be published. */
  target(name: string): string {
    return join(this.directory, `target-${name}`);
  }

  /** Loop devices whose files are in the pool. */
  async loopDevices(): Promise<string[]> {
    const output = await run('losetup', '--list', '--noheadings', '--raw', '--output', 'NAME,BACK-FILE');
    return output.split('\n').filter((line) => line.includes(`${this.mountPoint}/`));
  }

  async remove(): Promise<void> {
    for (const name of await readdir(this.directory)) {
      if (name.startsWith('target-')) {
        await run('umount', join(this.directory, name)).catch(() => undefined);
      }
    }
    await run('umount', this.mountPoint);
    await rm(this.directory, { recursive: true });
  }
}
