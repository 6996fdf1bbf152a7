import type { Writable } from 'node:stream';
import { readAhead } from '../../base/native/read-ahead.ts';
import type { TreeMember } from './tree-members.ts';

/**
 * Members that are put in the order of their inodes, in which files of one folder usually lie on the disk: the kernel
 * then reads many of them at once.
 */
const SORTED_TOGETHER = 8192;
/** The most bytes that are read before tar asks for them; twice as many after a silence of the disk. */
const MOST_AHEAD = 16 * 1024 * 1024;
/** More of a single file tar reads as fast by itself. In bytes. */
const MOST_OF_A_FILE = 64 * 1024;
/** Bytes that tar writes for each member, at least. */
const HEADER_LENGTH = 512;
/** Members that are passed on at once. */
const BATCH = 64;
/** Milliseconds of silence, while tar's output is waited for, after which tar may have nothing to do. */
const PATIENCE_MILLISECONDS = 250;

/**
 * Tells tar what to archive, a little ahead of it, and begins to read that. tar reads one file after the other and
 * would wait for the disk each time.
 */
export class NameFeeder {
  readonly #directory: Buffer;
  readonly #names: Writable;
  readonly #readAhead: typeof readAhead;
  /** Bytes that are read ahead, and that tar is still going to write, at most. */
  #ahead = 0;
  /** Bytes that tar is going to write besides of what it was told, at most. */
  #besides = 0;
  /** Bytes that tar has written since they were last taken to be none. */
  #writtenSince = MOST_AHEAD;
  /** Whether somebody waits for tar's output, so that only the disk, or a lack of names, can keep tar waiting. */
  #isAwaited = true;
  /** Whether tar has written nothing for long, although it was told of more than enough. */
  #isSilent = false;
  #isOver = false;
  #proceed = (): void => undefined;

  /**
   * @param names the standard input of tar, which gets paths that are terminated by zero bytes
   * @param begin begins to read a file
   */
  constructor(directory: string, names: Writable, begin = readAhead) {
    this.#directory = Buffer.from(`${directory}/`);
    this.#names = names;
    this.#readAhead = begin;
    // Where tar exits before it has read all names, its exit code says why.
    names.on('error', () => this.stop());
    names.once('close', () => this.stop());
    names.on('drain', () => this.#proceed());
  }

  /** Reports that tar has written some more bytes, and that nobody waits for what follows until that is awaited. */
  archived(length: number): void {
    // Which of the two it was is not known.
    const besides = Math.min(length, this.#besides);
    this.#besides -= besides;
    this.#ahead = Math.max(0, this.#ahead - (length - besides));
    this.#writtenSince += length;
    if (this.#isSilent && this.#writtenSince >= MOST_AHEAD) {
      // Of what it was told before, there may have been less than announced, as in files that were made longer without
      // any data. Where it was the disk that was silent, tar writes that much before this can be thought again.
      this.#ahead = 0;
      this.#besides = 0;
      this.#writtenSince = 0;
    }
    this.#isSilent = false;
    this.#isAwaited = false;
    this.#proceed();
  }

  /** Reports that more of tar's output is waited for. */
  awaited(): void {
    this.#isAwaited = true;
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
      await this.#makeRoom(batch.reduce((sum, member) => sum + lengthAhead(member), 0));
      // What tar is told in a silence wakes it where it had nothing to do, and costs no memory where the disk is slow.
      for (const member of batch) {
        const begun = this.#isSilent ? 0 : this.#begin(member);
        this.#ahead += begun;
        this.#besides += lengthInArchive(member) - begun;
      }
      this.#names.write(Buffer.from(batch.map(({ path }) => `./${path}\0`).join(''), 'latin1'));
      while (this.#names.writableNeedDrain && !this.#isOver) await this.#next();
    }
  }

  /** Waits until so many bytes more may be read ahead, or tar is silent. */
  async #makeRoom(length: number): Promise<void> {
    while (this.#ahead + length > MOST_AHEAD && !this.#isOver) {
      if ((await this.#next(PATIENCE_MILLISECONDS)) || !this.#isAwaited) continue;
      this.#isSilent = true;
      return;
    }
  }

  /** @returns the bytes by which it counts from now on */
  #begin(member: TreeMember): number {
    const length = lengthAhead(member);
    if (length > 0) {
      this.#readAhead(Buffer.concat([this.#directory, Buffer.from(member.path, 'latin1')]), length - HEADER_LENGTH);
    }
    return length;
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

/** Returns the bytes by which a member counts that is read ahead, its header among them; 0 where none of it is. */
function lengthAhead({ isFile, links, stored, size }: TreeMember): number {
  if (!isFile || links > 1 || stored === 0) return 0;
  return HEADER_LENGTH + Math.min(stored, size, MOST_OF_A_FILE);
}

/** Returns the bytes that tar writes of a member, about: the content of a file with several names once. */
function lengthInArchive({ isFile, links, stored, size }: TreeMember): number {
  return HEADER_LENGTH + (isFile ? Math.min(stored, size) / links : 0);
}
