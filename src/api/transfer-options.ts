import * as z from 'zod';

export const contentTypes = ['kubevirt', 'archive'] as const;
export type ContentType = (typeof contentTypes)[number];

export const contentType = z
  .enum(contentTypes)
  .describe('kubevirt (the default): a disk image, converted to raw. archive: a tar file, unpacked.');

export const preallocation = z
  .boolean()
  .describe("Allocate all of the disk's space now; the default is CDIConfig's preallocation.");

/** One stage of a multi-stage import. */
export const checkpoint = z.strictObject({
  previous: z.string().max(253).describe('Snapshot that the stage starts from; empty for the first stage.'),
  current: z.string().min(1).max(253).describe('Snapshot that the stage copies up to.'),
});
export type Checkpoint = z.infer<typeof checkpoint>;

export const checkpoints = z
  .array(checkpoint)
  .max(256)
  .describe('Stages of a multi-stage import, in order; each copies what changed between two snapshots.');

export const finalCheckpoint = z.boolean().describe('Whether the last one of checkpoints is the last stage of all.');
