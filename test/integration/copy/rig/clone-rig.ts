import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { CopySourceSettings } from '../../../../src/pods/copy-source.ts';
import type { CopyTargetSettings } from '../../../../src/pods/copy-target.ts';
import {
  type TransferProgress,
  transferProgress,
  type TransferResult,
  transferResult,
  type TransferTarget,
} from '../../../../src/protocol/transfer-pod.ts';
import {
  type CertifiedKey,
  createTransferCertificates,
  type TransferCertificates,
} from '../../../../src/server/certificates.ts';

/** The name in the server's certificate. */
export const SERVER_NAME = 'clone-target.team-a.svc';
const HOUR = 60 * 60 * 1000;

type LogLine = Record<string, unknown> & { message: string };

/** A role that runs as a child process. */
export class RunningRole {
  readonly process: ChildProcess;
  readonly log: LogLine[] = [];
  readonly #terminationMessage: string;
  readonly #exited: Promise<number | null>;
  readonly #waiting = new Set<() => void>();

  constructor(parameters: string[], terminationMessage: string) {
    this.#terminationMessage = terminationMessage;
    this.process = spawn(process.execPath, [join(import.meta.dirname, 'role-process.ts'), ...parameters], {
      stdio: ['ignore', 'inherit', 'pipe'],
      env: { ...process.env, TERMINATION_MESSAGE_PATH: terminationMessage, OWNER_UID: 'f00d' },
    });
    this.#exited = once(this.process, 'exit').then(([code]) => code as number | null);
    const changed = (): void => this.#waiting.forEach((look) => look());
    createInterface({ input: this.process.stderr! }).on('line', (line) => {
      this.log.push(parseLine(line));
      changed();
    });
    void this.#exited.then(changed);
  }

  /** The first line of the log, now or later, that is as wanted. */
  async logged(wanted: (line: LogLine) => boolean): Promise<LogLine> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const line = this.log.find(wanted);
        if (line) resolve(line);
        else if (this.process.exitCode !== null) reject(new Error(`it ended first:\n${JSON.stringify(this.log)}`));
        else return;
        this.#waiting.delete(look);
      };
      this.#waiting.add(look);
      look();
    });
  }

  async stage(name: string): Promise<LogLine> {
    return this.logged((line) => line.message === name);
  }

  /** What it serves over HTTP: progress, metrics. */
  async get(path: string): Promise<Response> {
    const { progressPort } = await this.stage('starting');
    return fetch(`http://127.0.0.1:${String(progressPort)}${path}`);
  }

  /** Asks for the progress until it is as wanted. */
  async progress(wanted: (progress: TransferProgress) => boolean): Promise<TransferProgress> {
    for (;;) {
      const progress = transferProgress.parse(await (await this.get('/progress')).json());
      if (wanted(progress)) return progress;
    }
  }

  /** Waits for the end; its exit code must fit its result. */
  async result(): Promise<TransferResult> {
    const exitCode = await this.#exited;
    const result = transferResult.parse(JSON.parse(await readFile(this.#terminationMessage, 'utf8')));
    if (exitCode !== (result.outcome === 'succeeded' ? 0 : 1)) {
      throw new Error(`exit code ${exitCode} with result ${JSON.stringify(result)}`);
    }
    return result;
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) this.process.kill(signal);
    await this.#exited;
  }
}

function parseLine(line: string): LogLine {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return { message: line };
  }
}

/** The group and user that pods run as. */
const POD_USER = 107;

/** Folders, certificates and processes of one clone; all of it is gone after `dispose`. */
export class CloneRig {
  readonly directory: string;
  /** Roots of the two volumes. */
  readonly source: string;
  readonly target: string;
  readonly #roles: RunningRole[] = [];

  readonly certificates: TransferCertificates;

  private constructor(directory: string, certificates: TransferCertificates) {
    this.directory = directory;
    this.certificates = certificates;
    this.source = join(directory, 'source');
    this.target = join(directory, 'target');
  }

  static async create(): Promise<CloneRig> {
    const certificates = await createTransferCertificates({ serverName: SERVER_NAME, lifetime: HOUR });
    const rig = new CloneRig(await mkdtemp(join(tmpdir(), 'clone-')), certificates);
    await mkdir(rig.source);
    await mkdir(rig.target);
    const { ca, server, client } = certificates;
    if (process.getuid?.() === 0)
      await Promise.all([rig.directory, rig.target].map((path) => chown(path, POD_USER, POD_USER)));
    await rig.writeIdentity('server-tls', ca, server);
    await rig.writeIdentity('client-tls', ca, client);
    return rig;
  }

  /** Lays out a Secret as the pods mount it; returns its folder. */
  async writeIdentity(name: string, ca: string, { certificate, key }: CertifiedKey): Promise<string> {
    const directory = join(this.directory, name);
    await mkdir(directory);
    await writeFile(join(directory, 'ca.crt'), ca);
    await writeFile(join(directory, 'tls.crt'), certificate);
    await writeFile(join(directory, 'tls.key'), key);
    return directory;
  }

  startServer(
    target: Partial<TransferTarget>,
    settings: Partial<CopyTargetSettings> = {},
    { asPodUser = false } = {},
  ): RunningRole {
    const user = asPodUser && process.getuid?.() === 0 ? [String(POD_USER)] : [];
    return this.#start('copy-target', user, {
      request: {
        target: {
          volumeMode: 'Filesystem',
          capacity: 1024 ** 3,
          filesystemOverhead: 0,
          preallocation: false,
          contentType: 'kubevirt',
          ...target,
        },
      },
      dataDirectory: this.target,
      tlsDirectory: join(this.directory, 'server-tls'),
      host: '127.0.0.1',
      port: 0,
      progressPort: 0,
      ...settings,
    } satisfies Partial<CopyTargetSettings>);
  }

  startSource(
    request: Partial<NonNullable<CopySourceSettings['request']>>,
    settings: Partial<CopySourceSettings>,
  ): RunningRole {
    return this.#start('copy-source', [], {
      request: {
        volumeMode: 'Filesystem',
        contentType: 'kubevirt',
        server: '127.0.0.1',
        serverName: SERVER_NAME,
        transfer: 'golden team',
        ...request,
      },
      dataDirectory: this.source,
      tlsDirectory: join(this.directory, 'client-tls'),
      progressPort: 0,
      ...settings,
    } satisfies Partial<CopySourceSettings>);
  }

  async dispose(): Promise<void> {
    await Promise.all(this.#roles.map((role) => role.kill()));
    await rm(this.directory, { recursive: true, force: true });
  }

  #start(role: string, user: string[], settings: object): RunningRole {
    const running = new RunningRole(
      [role, JSON.stringify(settings), ...user],
      join(this.directory, `termination-${this.#roles.length}`),
    );
    this.#roles.push(running);
    return running;
  }
}

/** The port on which the target of a copy listens. */
export async function portOf(server: RunningRole): Promise<number> {
  return Number((await server.stage('connecting'))['port']);
}
