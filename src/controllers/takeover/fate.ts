import { keyOf } from '../../kube/key.ts';
import type { KubeObject } from '../../kube/resource.ts';

/** What becomes of an object when Diskpress takes the place of CDI, the worst last. */
export const fates = ['kept', 'goes on', 'starts again', 'blocked'] as const;
export type Fate = (typeof fates)[number];

/** What becomes of one object, and why. */
export interface Outlook {
  readonly kind: string;
  /** Empty for an object of the whole cluster. */
  readonly namespace: string;
  readonly name: string;
  readonly fate: Fate;
  /** Why, and of what is blocked what to do first. */
  readonly why: string;
}

/** Returns the outlook for an object. */
export function outlook(object: KubeObject, kind: string, fate: Fate, why: string): Outlook {
  return { kind, ...keyOf(object), fate, why };
}

/** Counts the objects of each fate. */
export function summaryOf(outlooks: readonly Outlook[]): Record<Fate, number> {
  const count = (wanted: Fate) => outlooks.filter(({ fate }) => fate === wanted).length;
  return Object.fromEntries(fates.map((fate) => [fate, count(fate)])) as Record<Fate, number>;
}
