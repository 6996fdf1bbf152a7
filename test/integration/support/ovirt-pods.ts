import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open } from 'node:fs/promises';
import { join } from 'node:path';
import {
  IMPORT_REQUEST_VARIABLE,
  type TransferProgress,
  transferProgress,
} from '../../../src/protocol/transfer-pod.ts';
import { eventually } from '../../support/eventually.ts';
import { collectingLogger } from '../../support/logger.ts';
import { ovirtLogin } from '../../support/ovirt/engine.ts';
import type { Ovirt } from '../../support/ovirt/ovirt.ts';
import { noise } from './images.ts';
import { importInPod, type PodOptions, type PodRun } from './importer.ts';
import { mountOf } from './mounts.ts';
import { freePort, run } from './processes.ts';

const MEBIBYTE = 1024 * 1024;
/** Short, so that tests do not wait for it. */
const patience = { giveUpAfter: 20_000, firstDelay: 50, longestDelay: 200 };

/** A disk of a simulated engine, and what it should read as. */
export interface OvirtDisk {
  readonly id: string;
  readonly raw: string;
  readonly dataBytes: number;
}

/** Adds a disk with data at both ends, and nothing between. */
export async function addOvirtDisk(directory: string, { engine }: Ovirt): Promise<OvirtDisk> {
  const id = 'd1000000-0000-4000-8000-000000000001';
  const [raw, qcow2] = [join(directory, 'ovirt.raw'), join(directory, 'ovirt.qcow2')];
  const length = 12 * MEBIBYTE;
  const file = await open(raw, 'w');
  await file.truncate(80 * MEBIBYTE);
  await file.write(noise('one', length), 0, length, 0);
  await file.write(noise('other', length), 0, length, 60 * MEBIBYTE);
  await file.close();
  await run('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', raw, qcow2]);
  engine.addDisk({ id, layers: [{ id: 'a1000000-0000-4000-8000-000000000001', file: qcow2 }] });
  return { id, raw, dataBytes: 2 * length };
}

export interface OvirtImport extends Pick<PodOptions, 'openTransfer' | 'stage'> {
  /** On the volume of an earlier one. */
  diskImage?: string;
  login?: { user: string; password: string } | undefined;
  isTrusted?: boolean;
  insecureSkipVerify?: boolean;
}

/** Importer pods that import from a simulated engine. */
export class OvirtPods {
  /** Everything that the last one has told. */
  told: string[] = [];
  readonly #directory: string;
  readonly #ovirt: Ovirt;

  constructor(directory: string, ovirt: Ovirt) {
    this.#directory = directory;
    this.#ovirt = ovirt;
  }

  async import(diskId: string, options: OvirtImport = {}): Promise<PodRun> {
    const { insecureSkipVerify = false, openTransfer, stage, diskImage } = options;
    const { logger, lines } = collectingLogger();
    this.told = lines;
    const done = await importInPod(this.#directory, {
      source: { type: 'imageio', url: this.#ovirt.engine.url, diskId, insecureSkipVerify },
      ...{ openTransfer, stage },
      settings: {
        ...(await this.#mounts(options)),
        ...(diskImage === undefined ? {} : { diskImage }),
        ...{ patience, logger },
      },
    });
    lines.push(JSON.stringify(done.result));
    return { ...done, diskImage: diskImage ?? done.diskImage };
  }

  /**
   * Starts one as a process.
   *
   * @param options.diskImage on the volume of an earlier one
   */
  async start(
    diskId: string,
    options: { diskImage?: string; openTransfer?: string | undefined } = {},
  ): Promise<OvirtPod> {
    const pod = await mkdtemp(join(this.#directory, 'pod-'));
    const { diskImage = join(pod, 'disk.img'), openTransfer } = options;
    const progressPort = await freePort();
    const source = { type: 'imageio', url: this.#ovirt.engine.url, diskId, insecureSkipVerify: false };
    const target = {
      ...{ volumeMode: 'Filesystem', capacity: 100 * MEBIBYTE, filesystemOverhead: 0 },
      ...{ preallocation: false, contentType: 'kubevirt' },
    };
    const settings = { ...(await this.#mounts({})), diskImage, progressPort };
    const child = spawn(process.execPath, [join(import.meta.dirname, 'pod.ts')], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        ...process.env,
        [IMPORT_REQUEST_VARIABLE]: JSON.stringify({ source, target, scratch: false, openTransfer }),
        POD_SETTINGS: JSON.stringify(settings),
        TERMINATION_MESSAGE_PATH: join(pod, 'termination-log'),
      },
    });
    const told: string[] = [];
    this.told = told;
    child.stderr.on('data', (chunk: Buffer) => told.push(String(chunk)));
    return new OvirtPod(child, progressPort);
  }

  async #mounts({ login = ovirtLogin, isTrusted = true }: OvirtImport) {
    const { user, password } = login;
    return {
      credentials: await mountOf(this.#directory, { accessKeyId: user, secretKey: password }),
      certificates: await mountOf(this.#directory, isTrusted ? { 'ca.crt': this.#ovirt.authority } : {}),
    };
  }
}

/** An importer as a process. */
export class OvirtPod {
  readonly #child: ChildProcess;
  readonly #progressPort: number;

  constructor(child: ChildProcess, progressPort: number) {
    this.#child = child;
    this.#progressPort = progressPort;
  }

  progress(): Promise<TransferProgress> {
    return eventually('it tells its progress', async () =>
      transferProgress.parse(await (await fetch(`http://127.0.0.1:${this.#progressPort}/progress`)).json()),
    );
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill(signal);
    await ended;
  }
}
