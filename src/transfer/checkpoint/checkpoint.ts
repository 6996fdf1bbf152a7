import { createHash } from 'node:crypto';
import * as z from 'zod';

/** Sinks remember no more than a thousand. */
const MOST_RANGES = 10_000;
/** A few are taken; each is read again before an import goes on. */
const MOST_SAMPLES = 16;

/** That one image is packed in. */
const MOST_ARCHIVES = 16;

const offset = z.number().int().nonnegative();

/** What a target held at one place when a checkpoint was made, by which a target in its place is found out. */
const sample = z.object({ offset, length: offset.max(4096), sha256: z.string() });
export type Sample = z.infer<typeof sample>;

const checkpoint = z.object({
  version: z.literal(1),
  source: z.object({
    /** SHA-256 of its location, which need not be known to all who can read a checkpoint. */
    location: z.string(),
    /** See {@link import('../../base/source.ts').OpenedSource.version}. */
    version: z.string(),
    /** In bytes, where it is known. */
    size: offset.optional(),
  }),
  format: z.string(),
  wrappers: z.array(z.string()),
  /** See {@link import('../../image/unwrap/unwrap.ts').UnwrapOptions.certainOnly}. */
  certainOnly: z.array(z.number().int().nonnegative()).max(MOST_ARCHIVES).default([]),
  /** What the decoder goes on from: an offset in the stream that is left of the source without its wrappers, in bytes. */
  position: offset,
  /** The disk's, in bytes, where it is known. */
  virtualSize: offset.optional(),
  target: z.object({
    identity: z.string(),
    written: z
      .array(z.tuple([offset, offset]))
      .max(MOST_RANGES)
      .optional(),
  }),
  samples: z.array(sample).max(MOST_SAMPLES),
});

/**
 * A point in an import up to which everything is on the target and durable. Another process that finds the same source and
 * the same target goes on from there.
 */
export type Checkpoint = z.infer<typeof checkpoint>;

/** What all checkpoints of one import have in common. */
export type Subject = Pick<Checkpoint, 'source' | 'format' | 'wrappers' | 'certainOnly'>;

/** Reads a checkpoint; undefined where the text is none, or one of another version of this program. */
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
