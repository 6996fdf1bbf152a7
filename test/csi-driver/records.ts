import * as z from 'zod';
import { misbehaviours } from './misbehaviour.ts';

/**
 * How a volume's content is kept in the pool:
 * - `directory`: a Filesystem volume whose size is not enforced
 * - `filesystem-image`: a Filesystem volume of an enforced size, an XFS filesystem in a sparse file
 * - `ext4-image`: the same with ext4
 * - `quota-image`: a Filesystem volume with a quota, which is that of a larger btrfs filesystem in a sparse file
 * - `device-image`: a Block volume, a sparse file
 */
export const contentFormat = z.enum(['directory', 'filesystem-image', 'ext4-image', 'quota-image', 'device-image']);
export type ContentFormat = z.infer<typeof contentFormat>;

const bytes = z.number().int().positive();
/** Parameters of the class that a volume was made with, without those that the sidecars add. */
const parameters = z.record(z.string(), z.string());
/** The only node from which the volume or snapshot can be reached; any node where it is missing. */
const node = z.string().optional();

export const volumeRecord = z.strictObject({
  id: z.string(),
  format: contentFormat,
  capacityBytes: bytes,
  parameters,
  source: z
    .discriminatedUnion('type', [
      z.strictObject({ type: z.literal('snapshot'), id: z.string() }),
      z.strictObject({ type: z.literal('volume'), id: z.string() }),
    ])
    .optional(),
  node,
});
export type VolumeRecord = z.infer<typeof volumeRecord>;

export const snapshotRecord = z.strictObject({
  id: z.string(),
  sourceVolumeId: z.string(),
  format: contentFormat,
  /** Of the volume. */
  sizeBytes: bytes,
  /** What it says that a volume made of it needs; the same where it is missing. */
  restoreBytes: bytes.optional(),
  /** Milliseconds since 1970. */
  createdAt: z.number(),
  /** Milliseconds since 1970: from then on it says that it is ready to use. */
  readyAt: z.number(),
  /** What is wrong with what is told of its blocks. */
  misbehaviour: z.enum(misbehaviours).optional(),
  node,
});
export type SnapshotRecord = z.infer<typeof snapshotRecord>;

/** What a snapshot says that a volume made of it needs, in bytes. */
export function restoreBytesOf({ restoreBytes, sizeBytes }: SnapshotRecord): number {
  return restoreBytes ?? sizeBytes;
}

/** A volume at a target path of this node. */
export const publicationRecord = z.strictObject({
  volumeId: z.string(),
  targetPath: z.string(),
  readonly: z.boolean(),
  singleWriter: z.boolean(),
  /** A Block volume's device, and the process that keeps it open. */
  loop: z.strictObject({ device: z.string(), holder: z.number().int() }).optional(),
});
export type PublicationRecord = z.infer<typeof publicationRecord>;
