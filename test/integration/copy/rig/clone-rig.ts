import { chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CopySourceSettings } from '../../../../src/pods/copy-source.ts';
import type { CopyTargetSettings } from '../../../../src/pods/copy-target.ts';
import type { CopyVolumeSettings } from '../../../../src/pods/copy-volume.ts';
import type { TransferTarget } from '../../../../src/protocol/transfer-pod.ts';
import {
  type CertifiedKey,
  createTransferCertificates,
  type TransferCertificates,
} from '../../../../src/server/certificates.ts';
import { type RoleProgram, RunningRole } from '../../support/running-role.ts';
import { LoopDevices } from './disks.ts';

/** The name in the server's certificate. */
export const SERVER_NAME = 'clone-target.team-a.svc';
const HOUR = 60 * 60 * 1000;

/** The group and user that pods run as. */
const POD_USER = 107;

/** Folders, devices, certificates and processes of one clone; all of it is gone after `dispose`. */
export class CloneRig {
  readonly directory: string;
  /** Roots of the two volumes. */
  readonly source: string;
  readonly target: string;
  /** Over files in the directory. */
  readonly devices: LoopDevices;
  readonly #roles: RunningRole[] = [];

  readonly certificates: TransferCertificates;

  private constructor(directory: string, certificates: TransferCertificates) {
    this.directory = directory;
    this.certificates = certificates;
    this.source = join(directory, 'source');
    this.target = join(directory, 'target');
    this.devices = new LoopDevices(directory);
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
    {
      asPodUser = false,
      holdsBase = false,
      program,
    }: { asPodUser?: boolean; holdsBase?: boolean; program?: RoleProgram } = {},
  ): RunningRole {
    const user = asPodUser && process.getuid?.() === 0 ? POD_USER : undefined;
    return this.#start('copy-target', { user, program }, {
      request: {
        target: targetOf(target),
        ...(holdsBase && { holdsBase }),
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
    { program }: { program?: RoleProgram } = {},
  ): RunningRole {
    return this.#start('copy-source', { program }, {
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

  /** Starts the process that copies with both volumes and without a network. */
  startCopy(
    target: Partial<TransferTarget>,
    settings: Partial<CopyVolumeSettings> = {},
    {
      asPodUser = false,
      program,
      ...request
    }: { asPodUser?: boolean; program?: RoleProgram } & Partial<NonNullable<CopyVolumeSettings['request']>> = {},
  ): RunningRole {
    return this.#start('copy-volume', { user: asPodUser && process.getuid?.() === 0 ? POD_USER : undefined, program }, {
      request: {
        sourceVolumeMode: 'Filesystem',
        transfer: 'golden team',
        target: targetOf(target),
        ...request,
      },
      sourceDirectory: this.source,
      dataDirectory: this.target,
      rangesDirectory: join(this.directory, 'client-tls'),
      progressPort: 0,
      ...settings,
    } satisfies Partial<CopyVolumeSettings>);
  }

  async dispose(): Promise<void> {
    await Promise.all(this.#roles.map((role) => role.kill()));
    this.devices.detach();
    await rm(this.directory, { recursive: true, force: true });
  }

  #start(role: string, options: ConstructorParameters<typeof RunningRole>[3], settings: object): RunningRole {
    const message = join(this.directory, `termination-${this.#roles.length}`);
    const running = new RunningRole(role, settings, message, options);
    this.#roles.push(running);
    return running;
  }
}

function targetOf(target: Partial<TransferTarget>): TransferTarget {
  return {
    volumeMode: 'Filesystem',
    capacity: 1024 ** 3,
    filesystemOverhead: 0,
    preallocation: false,
    contentType: 'kubevirt',
    ...target,
  };
}

/** The port on which the target of a copy listens. */
export async function portOf(server: RunningRole): Promise<number> {
  return Number((await server.stage('connecting'))['port']);
}
