import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { TransferError, systemCode } from '../../base/errors.ts';
import { saysNoSpace } from '../../base/no-space.ts';
import { killGroup, programMissing } from '../../base/programs.ts';
import { collectTail } from '../../base/text-tail.ts';

/** Dirty pages count against the pod's memory: written back this often, at most twice as many are ever dirty. */
const SYNC_EVERY = 32 * 1024 * 1024;

/**
 * Unpacks a stream that is a tar archive into a folder with GNU tar, which keeps members within the folder and makes holes
 * where the archive has them. Without root's rights the files belong to the caller.
 */
export class TreeExtraction {
  readonly #directory: string;
  readonly #sync: () => Promise<void>;
  readonly #tar: ChildProcessByStdio<Writable, null, Readable>;
  readonly #complaints: { text(): string };
  readonly #closed: Promise<number | null>;
  #hasClosed = false;
  #unsynced = 0;
  #syncing: Promise<void> = Promise.resolve();

  /** @param sync makes durable what is in the folder */
  constructor(directory: string, sync: () => Promise<void>) {
    this.#directory = directory;
    this.#sync = sync;
    this.#tar = spawn(
      'tar',
      [
        '--extract',
        '--same-permissions',
        '--numeric-owner',
        '--acls',
        '--xattrs',
        '--delay-directory-restore',
        `--directory=${directory}`,
      ],
      { detached: true, stdio: ['pipe', 'ignore', 'pipe'], env: { ...process.env, LC_ALL: 'C' } },
    );
    this.#complaints = collectTail(this.#tar.stderr);
    // Where tar is gone, its exit code says why, not the broken pipe.
    this.#tar.stdin.on('error', () => undefined);
    this.#closed = once(this.#tar, 'close').then(([exitCode]) => {
      this.#hasClosed = true;
      return exitCode as number | null;
    });
    this.#closed.catch(() => (this.#hasClosed = true));
  }

  /**
   * Takes the next piece of the archive; it may be reused once this returns.
   *
   * @throws TransferError NoSpace, TargetNotWritable, StreamCorrupted, ProgramMissing
   */
  async write(piece: Buffer): Promise<void> {
    const written = new Promise<boolean>((resolve) => {
      this.#tar.stdin.write(piece, (error) => resolve(!error));
    });
    if (this.#hasClosed || !(await written)) {
      await this.#exit();
      throw new TransferError('StreamCorrupted', 'the archive goes on after its end');
    }
    this.#unsynced += piece.length;
    if (this.#unsynced < SYNC_EVERY) return;
    this.#unsynced = 0;
    await this.#syncing;
    this.#syncing = this.#sync();
    this.#syncing.catch(() => undefined);
  }

  /**
   * The archive is complete. Returns when everything in it is in the folder, though not yet durable.
   *
   * @throws TransferError as write does
   */
  async finish(): Promise<void> {
    this.#tar.stdin.end();
    await this.#exit();
    await this.#syncing;
  }

  /** Ends tar wherever it is. */
  async abandon(): Promise<void> {
    if (!this.#hasClosed) killGroup(this.#tar.pid);
    await Promise.allSettled([this.#closed, this.#syncing]);
  }

  async #exit(): Promise<void> {
    const exitCode = await this.#closed.catch((error: unknown) => {
      throw systemCode(error) === 'ENOENT' ? programMissing('tar') : error;
    });
    if (exitCode === 0) return;
    const complaints = this.#complaints.text();
    if (exitCode === null) throw new TransferError('Interrupted', `tar was killed while it wrote ${this.#directory}`);
    // tar only says that it wrote less than it wanted to where the last blocks of a volume took a part.
    if (saysNoSpace(complaints) || /Wrote only \d+ of \d+ bytes/.test(complaints)) {
      throw new TransferError('NoSpace', `the target volume is full: make its claim larger (${complaints})`);
    }
    if (/Unexpected EOF|does not look like a tar|Skipping to next header/.test(complaints)) {
      throw new TransferError('StreamCorrupted', `the archive is broken: ${complaints}`);
    }
    throw new TransferError('TargetNotWritable', `tar could not write all of ${this.#directory}: ${complaints}`);
  }
}
