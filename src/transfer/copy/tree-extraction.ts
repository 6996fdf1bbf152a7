import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { systemCode, TransferError } from '../../base/errors.ts';
import { saysNoSpace } from '../../base/no-space.ts';
import { killGroup, programMissing } from '../../base/programs.ts';
import { collectTail } from '../../base/text-tail.ts';

/**
 * Bytes between two syncs. Dirty pages count against the memory limit of the pod; at most twice as many are ever dirty.
 */
const SYNC_EVERY = 32 * 1024 * 1024;

/**
 * Unpacks a stream that is a tar archive into a folder with GNU tar, which keeps members within the folder and restores
 * holes. Without root privileges the files belong to the caller.
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

  /** @param sync makes the content of the folder durable */
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
    // Where tar has exited, its exit code says why, not the broken pipe.
    this.#tar.stdin.on('error', () => undefined);
    this.#closed = once(this.#tar, 'close').then(([exitCode]) => {
      this.#hasClosed = true;
      return exitCode as number | null;
    });
    this.#closed.catch(() => (this.#hasClosed = true));
  }

  /**
   * Writes the next piece of the archive, which may be reused once this returns.
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
   * Completes the archive. Returns when all of it is in the folder, though not durable yet.
   *
   * @throws TransferError as write does
   */
  async finish(): Promise<void> {
    this.#tar.stdin.end();
    await this.#exit();
    await this.#syncing;
  }

  /**
   * Stops tar at any point.
   *
   * @returns whether no sync has failed: what one has lost is not missed by the next
   */
  async abandon(): Promise<boolean> {
    if (!this.#hasClosed) killGroup(this.#tar.pid);
    const [, synced] = await Promise.allSettled([this.#closed, this.#syncing]);
    return synced.status === 'fulfilled';
  }

  async #exit(): Promise<void> {
    const exitCode = await this.#closed.catch((error: unknown) => {
      throw systemCode(error) === 'ENOENT' ? programMissing('tar') : error;
    });
    if (exitCode === 0) return;
    const complaints = this.#complaints.text();
    if (exitCode === null) throw new TransferError('Interrupted', `tar was killed while it wrote ${this.#directory}`);
    // Where the last blocks of a volume took part of a write, tar only reports that it wrote less than it wanted to.
    if (saysNoSpace(complaints) || /Wrote only \d+ of \d+ bytes/.test(complaints)) {
      throw new TransferError('NoSpace', `the target volume is full: make its claim larger (${complaints})`);
    }
    if (/Unexpected EOF|does not look like a tar|Skipping to next header/.test(complaints)) {
      throw new TransferError('StreamCorrupted', `the archive is broken: ${complaints}`);
    }
    throw new TransferError('TargetNotWritable', `tar could not write all of ${this.#directory}: ${complaints}`);
  }
}
