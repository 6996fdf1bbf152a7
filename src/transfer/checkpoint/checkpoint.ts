import { createHash } from 'node:crypto';
import * as z from 'zod';

/** Sinks remember at most a thousand ranges. */
const MOST_RANGES = 10_000;
/** Only a few samples are taken; each is read again before an import is resumed. */
const MOST_SAMPLES = 16;

/** Most archives that one image is nested in. */
const MOST_ARCHIVES = 16;

const offset = z.number().int().nonnegative();

/** What a target held at one offset when a checkpoint was made, by which a replaced target is detected. */
const sample = z.object({ offset, length: offset.max(4096), sha256: z.string() });
export type Sample = z.infer<typeof sample>;

const checkpoint = z.object({
  version: z.literal(1),
  source: z.object({
    /** SHA-256 of the location, which not everybody who can read a checkpoint needs to know. */
    location: z.string(),
    /** The version of the source, see {@link import('../../base/source.ts').OpenedSource.version}. */
    version: z.string(),
    /** Size in bytes, where known. */
    size: offset.optional(),
  }),
  format: z.string(),
  wrappers: z.array(z.string()),
  /**
   * Archives in which only certain disks count, see {@link
   * import('../../image/unwrap/unwrap.ts').UnwrapOptions.certainOnly}.
   */
  certainOnly: z.array(z.number().int().nonnegative()).max(MOST_ARCHIVES).default([]),
  /** Where the decoder resumes: an offset in bytes in the stream within all wrappers of the source. */
  position: offset,
  /** Size of the disk in bytes, where known. */
  virtualSize: offset.optional(),
  target: z.object({
    identity: z.string(),
    written: z
      .array(z.tuple([offset, offset]))
      .max(MOST_RANGES)
      .optional(),
    isUpdate: z.boolean().optional(),
  }),
  samples: z.array(sample).max(MOST_SAMPLES),
});

/**
 * A point in an import up to which everything is durable on the target. Another process that finds the same source and
 * the same target resumes from there.
 */
export type Checkpoint = z.infer<typeof checkpoint>;

/** What all checkpoints of one import have in common. */
export type Subject = Pick<Checkpoint, 'source' | 'format' | 'wrappers' | 'certainOnly'>;

/** Parses a checkpoint; returns undefined where the text is not one, or is one of another version of this program. */
export function parseCheckpoint(text: string): Checkpoint | undefined {
  try {
    return checkpoint.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

export function hashLocation(location: string): string {
  return createHash('sha256').update(location).digest('hex');
}
