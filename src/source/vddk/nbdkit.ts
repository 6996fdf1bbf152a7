import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemCode, TransferError } from '../../base/errors.ts';
import type { VddkInstallation } from './library.ts';
import { type LibraryFailure, parseFailure } from './library-failure.ts';
import { type LibraryReport, parseReport } from './library-report.ts';

/** How long the server may take to end in order, in milliseconds. */
const END_MILLISECONDS = 5_000;
/** How long what the process writes may take to arrive here after its answer, in milliseconds. */
const HEARING_MILLISECONDS = 2_000;
/** The server's threads for one client: as many reads may be in progress. */
const THREADS = 8;

/** Which disk is read, and how VDDK gets to it. */
export interface VddkDiskAddress {
  /** Host name of the vCenter or ESXi. */
  readonly server: string;
  readonly user: string;
  readonly password: string;
  /** SHA-1 of the server's certificate, as `AA:BB:…`. */
  readonly thumbprint: string | undefined;
  /** Identifier of the virtual machine (managed object reference), `vm-1`. */
  readonly machine: string;
  /** Identifier of the snapshot; undefined for the disk as it is. */
  readonly snapshot: string | undefined;
  /** `[datastore] folder/disk.vmdk` */
  readonly file: string;
}

/** A process of nbdkit with the plugin for VDDK, which serves one disk on a Unix socket. */
export class Nbdkit {
  readonly socket: string;
  readonly #folder: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #lines: Interface;
  #report: LibraryReport = {};
  #failure: LibraryFailure | undefined;
  #startFailure: unknown;
  #lastLine = '';

  private constructor(
    folder: string,
    address: VddkDiskAddress,
    { libraryFolder, plugin, configurationFile, compression }: VddkInstallation,
  ) {
    this.#folder = folder;
    this.socket = join(folder, 'nbd');
    const { server, user, thumbprint, machine, snapshot, file } = address;
    const parameters = {
      libdir: libraryFolder,
      config: configurationFile,
      server,
      user,
      // A descriptor, because everybody sees the arguments of a program.
      password: '-3',
      thumbprint,
      vm: `moref=${machine}`,
      snapshot,
      transports: 'file:nbdssl:nbd',
      compression,
      file,
    };
    const given = Object.entries(parameters).flatMap(([key, value]) =>
      value === undefined ? [] : [`${key}=${value}`],
    );
    const options = ['--foreground', '--readonly', '--exit-with-parent', `--threads=${THREADS}`, '--unix', this.socket];
    this.#child = spawn('nbdkit', [...options, plugin, ...given], {
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'],
        LC_ALL: 'C',
        TMPDIR: folder,
        // Its threads take turns, and each would keep what it has read last.
        MALLOC_ARENA_MAX: '1',
        HOME: folder,
        LD_LIBRARY_PATH: join(libraryFolder, 'lib64'),
      },
    });
    this.#ended = once(this.#child, 'close').catch((error: unknown) => (this.#startFailure = error));
    this.#lines = createInterface({ input: this.#child.stderr as Readable }).on('line', (line) => this.#heard(line));
    // It may end before it has read the password.
    (this.#child.stdio[3] as Writable).on('error', () => undefined).end(`${address.password}\n`);
  }

  static async start(address: VddkDiskAddress, installation: VddkInstallation): Promise<Nbdkit> {
    return new Nbdkit(await mkdtemp(join(installation.workFolder, 'vddk-')), address, installation);
  }

  /** What the library has told while it opened the disk, of which the transport mode is the last. */
  async report(): Promise<LibraryReport> {
    await this.#hearing(() => this.#report.transportMode !== undefined);
    return this.#report;
  }

  /** What the library has failed with last; undefined where it did not fail. */
  async failure(): Promise<LibraryFailure | undefined> {
    await this.#hearing(() => this.#failure !== undefined);
    return this.#failure;
  }

  get isRunning(): boolean {
    return this.#startFailure === undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /**
   * Waits for the end of a process that has ended the connection, and explains it.
   *
   * @returns undefined where it goes on
   */
  async explainEnd(): Promise<TransferError | undefined> {
    await Promise.race([this.#ended, sleep(END_MILLISECONDS, undefined, { ref: false })]);
    if (this.isRunning) return undefined;
    if (systemCode(this.#startFailure) === 'ENOENT') {
      return new TransferError(
        'ProgramMissing',
        'the program nbdkit is needed to read disks of VMware, and is not installed',
      );
    }
    const { exitCode, signalCode } = this.#child;
    const how = signalCode ?? `exit code ${exitCode}`;
    return new TransferError('Interrupted', `the process that runs VDDK has ended (${how}) ${this.#lastLine}`.trim());
  }

  /** Ends the process, which closes the disk, and removes its socket. */
  async end(): Promise<void> {
    if (this.isRunning) this.#child.kill('SIGTERM');
    await Promise.race([this.#ended, sleep(END_MILLISECONDS, undefined, { ref: false })]);
    if (this.isRunning) this.#child.kill('SIGKILL');
    await this.#ended;
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Waits until the process has written something, has ended, or does not write it. */
  async #hearing(isHeard: () => boolean): Promise<void> {
    const late = AbortSignal.timeout(HEARING_MILLISECONDS);
    const ended = this.#ended.then(() => true);
    for (let isOver = isHeard(); !isOver && !late.aborted;) {
      const line = once(this.#lines, 'line', { signal: late }).then(isHeard, () => true);
      isOver = await Promise.race([line, ended]);
    }
  }

  #heard(line: string): void {
    this.#report = { ...this.#report, ...parseReport(line) };
    this.#failure = parseFailure(line) ?? this.#failure;
    if (line.startsWith('nbdkit:')) this.#lastLine = line;
  }
}
