import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { KubeObject } from '../../kube/resource.ts';
import type { Change } from './changes.ts';

/**
 * On an object of the installation that CDI.spec changes: what was changed, so that the manifest's values can be given
 * back. Whoever applies the manifest leaves it alone.
 */
const recordAnnotation = 'cdi.kubevirt.io/customization';
/** Annotations that say nothing of what an object is to be: others' bookkeeping, and our own. */
const BOOKKEEPING = [
  recordAnnotation,
  'deployment.kubernetes.io/revision',
  'kubectl.kubernetes.io/last-applied-configuration',
];

const record = z.object({
  /** Fingerprint of what was asked for; empty while only a part of it is there. */
  of: z.string(),
  /** Fingerprint of the object's spec as it was left. */
  left: z.string(),
  changes: z.array(
    z.object({ path: z.array(z.string()), manifest: z.unknown().optional(), set: z.unknown().optional() }),
  ),
  /** What the API server refused, for people. */
  refused: z.array(z.string()).optional(),
});

export interface CustomizationRecord {
  readonly of: string;
  readonly left: string;
  readonly changes: readonly Change[];
  readonly refused?: readonly string[] | undefined;
}

/** The part of an object that a manifest describes. */
export interface Described {
  readonly metadata: {
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  };
  readonly spec: unknown;
}

export function describedBy(object: KubeObject): Described {
  const { labels = {}, annotations = {} } = object.metadata ?? {};
  const others = Object.entries(annotations).filter(([name]) => !BOOKKEEPING.includes(name));
  return {
    metadata: { labels, annotations: Object.fromEntries(others) },
    spec: 'spec' in object ? object.spec : undefined,
  };
}

/** Returns what is recorded on an object; undefined where nothing is, or nothing that can be read. */
export function recordOf(object: KubeObject): CustomizationRecord | undefined {
  const text = object.metadata?.annotations?.[recordAnnotation];
  try {
    return text === undefined ? undefined : record.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Returns the merge patch of the annotations that records it; undefined removes the record. */
export function recorded(written: CustomizationRecord | undefined): Readonly<Record<string, string | null>> {
  return { [recordAnnotation]: written ? JSON.stringify(written) : null };
}

/** Returns a fingerprint of what is asked for; empty where nothing is. */
export function askedFor(settings: object, patches: readonly object[]): string {
  return Object.keys(settings).length === 0 && patches.length === 0 ? '' : fingerprintOf([settings, patches]);
}

/** Returns a fingerprint of a value, whatever the order of its fields. */
export function fingerprintOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value, inOrder)).digest('hex').slice(0, 32);
}

function inOrder(_: string, value: unknown): unknown {
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
  return isMap ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value;
}
