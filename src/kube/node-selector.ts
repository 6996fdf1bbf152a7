import type { V1NodeSelector, V1NodeSelectorRequirement, V1NodeSelectorTerm } from '@kubernetes/client-node';
import type { Node } from './builtin-resources.ts';

/**
 * Reports whether a node matches a selector: one of its terms, with all of that term's requirements. A term without
 * requirements matches no node.
 */
export function fitsNode({ nodeSelectorTerms }: V1NodeSelector, node: Node): boolean {
  const labels = node.metadata?.labels ?? {};
  const fields = { 'metadata.name': node.metadata?.name ?? '' };
  return nodeSelectorTerms.some(({ matchExpressions = [], matchFields = [] }) => {
    if (matchExpressions.length + matchFields.length === 0) return false;
    return (
      matchExpressions.every((each) => fitsValue(each, labels[each.key])) &&
      matchFields.every((each) => fitsValue(each, fields[each.key as keyof typeof fields]))
    );
  });
}

/**
 * Reports whether it is certain that no node matches both selectors: each term of one requires another value of a label
 * than each of the other. Where that is not certain, only the nodes can tell.
 */
export function areApart(one: V1NodeSelector, other: V1NodeSelector): boolean {
  return one.nodeSelectorTerms.every((left) => other.nodeSelectorTerms.every((right) => excludeEachOther(left, right)));
}

function excludeEachOther(left: V1NodeSelectorTerm, right: V1NodeSelectorTerm): boolean {
  const required = allowedOf(right);
  return allowedOf(left).some(([key, values]) =>
    required.some(([other, allowed]) => key === other && !values.some((value) => allowed.includes(value))),
  );
}

/** Returns the labels and fields of which a term allows some values only. */
function allowedOf({ matchExpressions = [], matchFields = [] }: V1NodeSelectorTerm): [string, string[]][] {
  return [...matchExpressions, ...matchFields]
    .filter(({ operator }) => operator === 'In')
    .map(({ key, values = [] }) => [key, values]);
}

/** Describes a selector for people, such as `kubernetes.io/hostname in (node1)`. */
export function describeNodeSelector({ nodeSelectorTerms }: V1NodeSelector): string {
  const term = ({ matchExpressions = [], matchFields = [] }: (typeof nodeSelectorTerms)[number]) =>
    [...matchExpressions, ...matchFields].map(describeRequirement).join(' and ');
  return nodeSelectorTerms.map(term).join(', or ');
}

function fitsValue({ operator, values = [] }: V1NodeSelectorRequirement, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return isInteger(value) && Number(value) > Number(values[0]);
    case 'Lt':
      return isInteger(value) && Number(value) < Number(values[0]);
    default:
      return false;
  }
}

function isInteger(value: string | undefined): boolean {
  return value !== undefined && /^-?\d+$/.test(value);
}

function describeRequirement({ key, operator, values }: V1NodeSelectorRequirement): string {
  const words: Record<string, string> = { In: 'in', NotIn: 'not in', Exists: 'exists', DoesNotExist: 'does not exist' };
  const told = words[operator] ?? operator;
  return values?.length ? `${key} ${told} (${values.join(', ')})` : `${key} ${told}`;
}
