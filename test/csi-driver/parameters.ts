import * as z from 'zod';
import { misbehaviours } from './misbehaviour.ts';
import { invalidArgument } from './status-error.ts';

const SIDECAR_PREFIX = 'csi.storage.k8s.io/';

const truth = z.enum(['true', 'false']).transform((text) => text === 'true');
const count = z.string().regex(/^\d+$/, 'must be a whole number').transform(Number);

/** What a StorageClass can ask of this driver, to meet every kind of storage with one. */
const classParameters = z.strictObject({
  /** "false": no volume of the class is made from another volume, nor copied. */
  clone: truth.default(true),
  /** "false": no snapshot is taken of a volume of the class. */
  snapshot: truth.default(true),
  /** "false": no volume of the class grows. */
  expansion: truth.default(true),
  /** Seconds that making, snapshotting and growing a volume of the class takes longer. */
  delaySeconds: count.default(0),
  /** What all volumes made with the same parameters may have together. */
  capacityBytes: count.optional(),
  /** Seconds that every call about a volume of the class takes longer, also those that mount it. */
  callSeconds: count.default(0),
  /** "true": a Filesystem volume is a filesystem of the requested size, of the class's fstype, and can be full. */
  enforceSize: truth.default(false),
  /** "true": a Filesystem volume is a folder with a quota of the requested size, which its free space does not tell. */
  quota: truth.default(false),
  /** Capacities are multiples of this. */
  roundUpBytes: count.default(4096),
  /** "used": what a snapshot says that a volume made of it needs is what its volume had written by then. */
  restoreSize: z.enum(['capacity', 'used']).default('capacity'),
  /** "true": a volume is reached only from the node that it was made for (needs --topology-key). */
  local: truth.default(false),
});
export type ClassParameters = z.infer<typeof classParameters>;

const snapshotClassParameters = z.strictObject({
  /** Seconds during which a new snapshot says that it is not ready yet. */
  readyAfterSeconds: count.default(0),
  /** What is wrong with what the driver tells of a snapshot's blocks. */
  blockMetadata: z.enum(misbehaviours).optional(),
});
export type SnapshotClassParameters = z.infer<typeof snapshotClassParameters>;

/** The parameters that are this driver's own, without those that the sidecars add. */
export function ownParameters(parameters: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(parameters)
      .filter(([name]) => !name.startsWith(SIDECAR_PREFIX))
      .sort(([left], [right]) => (left < right ? -1 : 1)),
  );
}

/** @throws StatusError INVALID_ARGUMENT for a parameter that is unknown or has a value that it cannot have */
export function parseClassParameters(parameters: Record<string, string>): ClassParameters {
  return parse(classParameters, parameters);
}

/** @throws StatusError INVALID_ARGUMENT for a parameter that is unknown or has a value that it cannot have */
export function parseSnapshotClassParameters(parameters: Record<string, string>): SnapshotClassParameters {
  return parse(snapshotClassParameters, parameters);
}

function parse<Schema extends z.ZodType>(schema: Schema, parameters: Record<string, string>): z.infer<Schema> {
  const result = schema.safeParse(ownParameters(parameters));
  if (!result.success) {
    throw invalidArgument(`parameters: ${z.prettifyError(result.error)}`);
  }
  return result.data;
}
