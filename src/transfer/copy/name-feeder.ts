import type { Writable } from 'node:stream';
import { readAhead } from '../../base/native/read-ahead.ts';
import type { TreeMember } from './tree-members.ts';

/**
 * Members that are put in the order of their inodes, in which files of one folder usually lie on the disk: the kernel
 * then reads many of them at once.
 */
const SORTED_TOGETHER = 8192;
/** Bytes that are read before tar asks for them. */
const MOST_AHEAD = 16 * 1024 * 1024;
/** More of a single file tar reads as fast by itself. In bytes. */
const MOST_OF_A_FILE = 64 * 1024;
/** Bytes that tar writes for each member, at least. */
const HEADER_LENGTH = 512;
/** Members that are passed on at once. */
const BATCH = 64;
/** Milliseconds after which what tar has not written by then is not waited for: a file may have become shorter. */
const PATIENCE_MILLISECONDS = 250;

/**
 * Tells tar what to archive, a little ahead of it, and begins to read that. tar reads one file after the other and
 * would wait for the disk each time.
 */
export class NameFeeder {
  readonly #directory: Buffer;
  readonly #names: Writable;
  /** Bytes that tar is going to read of what it was told, and has not written yet. */
  #ahead = 0;
  #isOver = false;
  #proceed = (): void => undefined;

  /** @param names the standard input of tar, which gets paths that are terminated by zero bytes */
  constructor(directory: string, names: Writable) {
    this.#directory = Buffer.from(`${directory}/`);
    this.#names = names;
    // Where tar exits before it has read all names, its exit code says why.
    names.on('error', () => this.stop());
    names.once('close', () => this.stop());
    names.on('drain', () => this.#proceed());
  }

  /** Reports that tar has written some more bytes. */
  archived(length: number): void {
    this.#ahead = Math.max(0, this.#ahead - length);
    this.#proceed();
  }

  /** Tells tar of no more members. */
  stop(): void {
    this.#isOver = true;
    this.#proceed();
  }

  /** @throws what the list throws */
  async feed(members: AsyncIterable<TreeMember[]>): Promise<void> {
    let gathered: TreeMember[] = [];
    for await (const some of members) {
      if (this.#isOver) return;
      gathered.push(...some);
      if (gathered.length < SORTED_TOGETHER) continue;
      await this.#tell(gathered);
      gathered = [];
    }
    await this.#tell(gathered);
    this.#names.end();
  }

  async #tell(members: TreeMember[]): Promise<void> {
    // Folders come before their content, as they do in the list.
    const files = members.filter(({ isFile }) => isFile).sort((one, other) => one.inode - other.inode);
    const ordered = [...members.filter(({ isFile }) => !isFile), ...files];
    for (let at = 0; at < ordered.length && !this.#isOver; at += BATCH) {
      const batch = ordered.slice(at, at + BATCH);
      for (const member of batch) this.#begin(member);
      this.#names.write(Buffer.from(batch.map(({ path }) => `./${path}\0`).join(''), 'latin1'));
      while (this.#names.writableNeedDrain && !this.#isOver) await this.#next();
      while (this.#ahead > MOST_AHEAD && !this.#isOver) {
        if (!(await this.#next(PATIENCE_MILLISECONDS))) this.#ahead = 0;
      }
    }
  }

  #begin({ path, isFile, links, stored, size }: TreeMember): void {
    if (!isFile || links > 1 || stored === 0) return;
    const length = Math.min(stored, size, MOST_OF_A_FILE);
    readAhead(Buffer.concat([this.#directory, Buffer.from(path, 'latin1')]), length);
    this.#ahead += HEADER_LENGTH + length;
  }

  /** Waits until anything has happened; returns false where nothing has for so many milliseconds. */
  async #next(milliseconds?: number): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = milliseconds === undefined ? undefined : setTimeout(() => resolve(false), milliseconds);
      this.#proceed = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  }
}
