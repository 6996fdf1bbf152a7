import type { RangeReader } from '../../base/source.ts';
import { streamObstacle } from '../../image/formats/decode.ts';
import type { DiskFormat } from '../../image/formats/drivers.ts';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';

/** What is known of an opened image, and by which the way to read it is chosen. */
export interface ImportFacts {
  format: DiskFormat;
  /** Whether the stream of the image skips long distances without reading them. */
  seeks: boolean;
  /** Random access to the image; undefined where it is impossible, or cannot be trusted. */
  ranges: RangeReader | undefined;
  /** Whether the stream has to be read to its end, even where the data is read at random. */
  readsAll: boolean;
  /** The checkpoint to resume from; undefined to start from the beginning. */
  checkpoint: Checkpoint | undefined;
  /** A folder with room for a copy of the image, where there is one. */
  scratchDirectory: string | undefined;
}

/** The image is decoded in one pass, with random access for what its stream does not offer in time. */
export interface Decoding {
  by: 'decode';
  ranges: RangeReader | undefined;
  readsAll: boolean;
  /** The checkpoint to resume from; undefined where the target has to begin anew. */
  checkpoint: Checkpoint | undefined;
  /** Offset in bytes up to which the source is skipped; undefined where it is read again. */
  skipsTo: number | undefined;
}

/** The image is converted by qemu-img, which reads it at random. */
export interface Conversion {
  by: 'convert';
  /** Why the image cannot be decoded in one pass. */
  why: string;
  ranges: RangeReader;
  /** Whether the stream is read to its end first. */
  drains: boolean;
}

/** The image is copied without its compressions, and converted from the copy. */
export interface ScratchCopy {
  by: 'scratch';
  /** Why the image cannot be decoded in one pass. */
  why: string;
  directory: string;
}

/** Nothing can be done without scratch space, which there is none of. */
export interface ScratchRequest {
  by: 'scratch request';
  /** Why the image cannot be decoded in one pass. */
  why: string;
}

/** How an image gets to its target, where it cannot be decoded in one pass. */
export type RandomAccessPlan = Conversion | ScratchCopy | ScratchRequest;

/** How an image gets to its target. */
export type ImportPlan = Decoding | RandomAccessPlan;

/** Chooses how an image gets to its target: decoded in one pass, unless its format cannot be. */
export function planImport(facts: ImportFacts): ImportPlan {
  const why = streamObstacle(facts.format);
  if (why !== undefined) return planRandomAccess(facts, why);
  const { ranges, readsAll, checkpoint, seeks } = facts;
  return { by: 'decode', ranges, readsAll, checkpoint, skipsTo: seeks ? checkpoint?.position : undefined };
}

/**
 * Chooses how an image gets to its target after all that cannot be decoded in one pass. Nothing of an earlier attempt
 * is resumed.
 *
 * @param why the image cannot be decoded so
 */
export function planRandomAccess(
  { ranges, readsAll, scratchDirectory }: Pick<ImportFacts, 'ranges' | 'readsAll' | 'scratchDirectory'>,
  why: string,
): RandomAccessPlan {
  if (ranges !== undefined) return { by: 'convert', why, ranges, drains: readsAll };
  if (scratchDirectory !== undefined) return { by: 'scratch', why, directory: scratchDirectory };
  return { by: 'scratch request', why };
}
