import * as z from 'zod';

/** Identifiers of the engine are UUIDs; nothing else is put into a path. */
const identifier = z.string().regex(/^[0-9A-Za-z_-]{1,64}$/);
/** The engine writes numbers and truth values as strings. */
const count = z.union([z.number(), z.string().regex(/^\d+$/)]).transform(Number);
const truth = z
  .union([z.boolean(), z.enum(['true', 'false'])])
  .transform((value) => value === true || value === 'true');
const reference = z.object({ id: identifier });

/** The answer of the engine's single sign-on. */
export const tokenAnswer = z.object({ access_token: z.string().min(1).max(16_384) });

/** A disk, as `GET /disks/ID` tells it; sizes in bytes. */
export const diskDocument = z.object({
  id: identifier,
  /** The active layer, the last of the disk's snapshots. */
  image_id: identifier.optional(),
  actual_size: count.optional(),
  provisioned_size: count.optional(),
  storage_domains: z.object({ storage_domain: z.array(reference).default([]) }).optional(),
});
export type DiskDocument = z.infer<typeof diskDocument>;

/** The snapshots of the disks of a storage domain. */
export const diskSnapshotsDocument = z.object({
  disk_snapshot: z.array(z.object({ id: identifier, parent: reference.optional() })).default([]),
});

/** An image transfer. */
export const transferDocument = z.object({
  id: identifier,
  phase: z.string().max(64),
  /** The daemon on the host. Its last part is the ticket, a secret. */
  transfer_url: z.string().max(2048).optional(),
  /** The same through the engine's proxy. */
  proxy_url: z.string().max(2048).optional(),
  shallow: truth.optional(),
});
export type TransferDocument = z.infer<typeof transferDocument>;

const fault = z.object({ reason: z.string().optional(), detail: z.string().optional() });
/** What the engine says when it refuses; an action has its fault in a field. */
export const faultDocument = z.union([z.object({ fault }).transform((answer) => answer.fault), fault]);

/** What the daemon offers for a ticket. */
export const daemonOptions = z.object({
  features: z.array(z.string()).default([]),
  max_readers: z.number().int().positive().optional(),
});

/** A part of an image, as the daemon tells it; start and length in bytes. */
export const daemonExtent = z.object({
  start: z.number().int().nonnegative(),
  length: z.number().int().positive(),
  zero: z.boolean(),
  hole: z.boolean().optional(),
});
export type DaemonExtent = z.infer<typeof daemonExtent>;

/** Whether an identifier, such as one that was noted earlier, may be put into a path. */
export const isIdentifier = (text: string): boolean => identifier.safeParse(text).success;
