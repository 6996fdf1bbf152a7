import type { V1Affinity, V1NodeSelectorTerm, V1PodAffinity } from '@kubernetes/client-node';

/** Returns the affinity of a pod that has to satisfy both. */
export function joinAffinity(one: V1Affinity = {}, other: V1Affinity = {}): V1Affinity {
  return {
    ...joinField('nodeAffinity', joinNodes(one.nodeAffinity, other.nodeAffinity)),
    ...joinField('podAffinity', joinPods(one.podAffinity, other.podAffinity)),
    ...joinField('podAntiAffinity', joinPods(one.podAntiAffinity, other.podAntiAffinity)),
  };
}

function joinField<Name extends string, Value>(name: Name, value: Value | undefined): Partial<Record<Name, Value>> {
  return value === undefined ? {} : ({ [name]: value } as Record<Name, Value>);
}

function joinNodes(one: V1Affinity['nodeAffinity'], other: V1Affinity['nodeAffinity']): V1Affinity['nodeAffinity'] {
  if (!one || !other) return one ?? other;
  const required = [one, other].flatMap((each) => each.requiredDuringSchedulingIgnoredDuringExecution ?? []);
  return {
    ...preferredOf(one, other),
    ...(required.length > 0 && {
      requiredDuringSchedulingIgnoredDuringExecution: {
        // A node has to match one of the terms, and in it everything: of two lists, it has to match one of each.
        nodeSelectorTerms: required.map(({ nodeSelectorTerms }) => nodeSelectorTerms).reduce(bothOf),
      },
    }),
  };
}

function bothOf(some: V1NodeSelectorTerm[], others: V1NodeSelectorTerm[]): V1NodeSelectorTerm[] {
  return some.flatMap((one) =>
    others.map((other) => ({
      ...listOf('matchExpressions', one.matchExpressions, other.matchExpressions),
      ...listOf('matchFields', one.matchFields, other.matchFields),
    })),
  );
}

function joinPods(one: V1PodAffinity | undefined, other: V1PodAffinity | undefined): V1PodAffinity | undefined {
  if (!one || !other) return one ?? other;
  const required = 'requiredDuringSchedulingIgnoredDuringExecution';
  return { ...preferredOf(one, other), ...listOf(required, one[required], other[required]) };
}

interface Preferring<Term> {
  readonly preferredDuringSchedulingIgnoredDuringExecution?: Term[];
}

function preferredOf<Term>(one: Preferring<Term>, other: Preferring<Term>): Preferring<Term> {
  const preferred = 'preferredDuringSchedulingIgnoredDuringExecution';
  return listOf(preferred, one[preferred], other[preferred]);
}

function listOf<Name extends string, Item>(
  name: Name,
  one: readonly Item[] = [],
  other: readonly Item[] = [],
): Partial<Record<Name, Item[]>> {
  const joined = [...one, ...other];
  return joined.length > 0 ? ({ [name]: joined } as Record<Name, Item[]>) : {};
}
