import { createHash } from 'node:crypto';
import { constants, lstat, lutimes, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { deviceSize } from '../../base/device-size.ts';
import { systemCode } from '../../base/errors.ts';
import { readSmallFile } from '../../base/planted-files.ts';
import { draftOf, replaceFile } from '../../base/replace-file.ts';
import { contentId, MISMATCHED_BASE, SPOILT_BASE } from './copy-protocol.ts';

/** Longest checkpoint in bytes; with the ranges of a disk it has some tens of KiB. */
const LONGEST = 1024 * 1024;
/** Sinks remember at most a thousand ranges. */
const MOST_RANGES = 10_000;

const offset = z.number().int().nonnegative();
const checkpoint = z.object({
  /** Identifies the content of which the target holds a part. */
  contentId,
  /** For a disk: how many bytes from its start are on the target. */
  from: offset.default(0),
  /** For a disk: what its sink needs to resume. */
  target: z
    .object({
      identity: z.string(),
      written: z
        .array(z.tuple([offset, offset]))
        .max(MOST_RANGES)
        .optional(),
      isUpdate: z.boolean().optional(),
    })
    .optional(),
  /**
   * For a tree: files whose inode changed before this are durable. In nanoseconds since the epoch, by the clock of the
   * volume.
   */
  durableBefore: z
    .string()
    .regex(/^\d{1,20}$/)
    .optional(),
});
/** How much of a clone is durable on its target. */
export type Checkpoint = z.infer<typeof checkpoint>;

/** Stores the last checkpoint of a clone beside its data. */
export interface CheckpointStore {
  /** Offset on the target at which the data reaches the stored checkpoint. */
  readonly end: number;
  /** Reads the checkpoint; undefined where there is no valid one. */
  read(): Promise<Checkpoint | undefined>;
  write(checkpoint: Checkpoint): Promise<void>;
  clear(): Promise<void>;
}

/** Name of the file at the root of a Filesystem volume. A complete volume does not have it. */
export const CHECKPOINT_NAME = '.diskpress-clone-checkpoint';

/** Stores the checkpoint in a file on the volume. */
export class CheckpointFile implements CheckpointStore {
  readonly end = Infinity;
  readonly #path: string;

  /** @param directory the root of the volume */
  constructor(directory: string) {
    this.#path = join(directory, CHECKPOINT_NAME);
  }

  async read(): Promise<Checkpoint | undefined> {
    const text = await readSmallFile(this.#path, LONGEST);
    return text === undefined ? undefined : parse(text, checkpoint);
  }

  async write(checkpoint: Checkpoint): Promise<void> {
    const text = JSON.stringify(checkpoint);
    try {
      await replaceFile(this.#path, text);
    } catch (error) {
      if (!['EISDIR', 'ERR_FS_EISDIR', 'EEXIST', 'ENOTEMPTY'].includes(systemCode(error) ?? '')) throw error;
      // The arriving tree may contain a folder of that name.
      await this.clear();
      await replaceFile(this.#path, text);
    }
  }

  /** Touches the file; returns when that was, in nanoseconds since the epoch, by the clock of the volume. */
  async touch(): Promise<bigint> {
    const now = new Date();
    await lutimes(this.#path, now, now);
    return (await lstat(this.#path, { bigint: true })).ctimeNs;
  }

  async clear(): Promise<void> {
    await Promise.all([this.#path, draftOf(this.#path)].map((path) => rm(path, { force: true, recursive: true })));
  }
}

/** What is stored where a disk could have it, too. */
const markedCheckpoint = checkpoint.extend({
  /** Identifies the copy that has written it; versions before left that out. */
  copy: z.string().optional(),
});

/** Room for the ranges that a sink may have to remember, in bytes. */
const TAIL_LENGTH = 64 * 1024;
const TAIL_SIGNATURE = 'diskpress clone checkpoint 1';

/**
 * Stores the checkpoint in the last 64 KiB of a block device, until the disk reaches them.
 *
 * A device may still hold the checkpoint of another copy, or a disk on which a guest has written what looks like one.
 * The copy's id, which nobody knew when that was written, tells them apart. What has no id may be of a version before,
 * and is believed but for its accusation of the driver: then, the whole disk is asked for.
 */
export class CheckpointTail implements CheckpointStore {
  readonly end: number;
  readonly #path: string;
  readonly #copy: string;
  readonly #length: number;

  private constructor(path: string, copy: string, size: number) {
    this.#path = path;
    this.#copy = copy;
    this.#length = Math.min(TAIL_LENGTH, size);
    this.end = size - this.#length;
  }

  /** @param copy identifies the copy that is made, whichever pods make it */
  static async on(path: string, copy: string): Promise<CheckpointTail> {
    const file = await open(path, constants.O_RDONLY);
    try {
      return new CheckpointTail(path, copy, await deviceSize(file));
    } finally {
      await file.close();
    }
  }

  async read(): Promise<Checkpoint | undefined> {
    const file = await open(this.#path, constants.O_RDONLY);
    try {
      const tail = Buffer.alloc(this.#length);
      await file.read(tail, 0, tail.length, this.end);
      const [signature, digest, text] = tail.toString('utf8', 0, tail.indexOf(0)).split('\n');
      if (signature !== TAIL_SIGNATURE || text === undefined || digest !== sha256(text)) return undefined;
      return this.#own(parse(text, markedCheckpoint));
    } finally {
      await file.close();
    }
  }

  async write(checkpoint: Checkpoint): Promise<void> {
    const text = JSON.stringify({ ...checkpoint, copy: this.#copy } satisfies z.input<typeof markedCheckpoint>);
    const content = Buffer.from([TAIL_SIGNATURE, sha256(text), text].join('\n'));
    if (content.length < this.#length) await this.#overwrite(content);
  }

  async clear(): Promise<void> {
    await this.#overwrite(Buffer.alloc(0));
  }

  #own(found: z.infer<typeof markedCheckpoint> | undefined): Checkpoint | undefined {
    if (!found) return undefined;
    const { copy, ...stored } = found;
    if (copy === this.#copy) return stored;
    if (copy !== undefined) return undefined;
    return stored.contentId === MISMATCHED_BASE ? { ...stored, contentId: SPOILT_BASE } : stored;
  }

  async #overwrite(content: Buffer): Promise<void> {
    const tail = Buffer.alloc(this.#length);
    content.copy(tail);
    const file = await open(this.#path, constants.O_RDWR);
    try {
      await file.write(tail, 0, tail.length, this.end);
      await file.datasync();
    } finally {
      await file.close();
    }
  }
}

function parse<Schema extends z.ZodType>(text: string, schema: Schema): z.infer<Schema> | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
