import type { CDISpec } from '../../api/cdi.ts';
import { patchContentTypes, type PatchType } from '../../kube/patch-type.ts';
import type { KubeObject, Resource } from '../../kube/resource.ts';
import { customizableKinds } from './installation.ts';

/** A patch of CDI.spec.customizeComponents that can be sent. */
export interface ComponentPatch {
  /** Its place in CDI.spec, for people. */
  readonly where: string;
  readonly type: PatchType;
  readonly body: object;
}

type Given = NonNullable<NonNullable<CDISpec['customizeComponents']>['patches']>[number];

/** Stands for every name, and for every kind. */
const ANY = '*';
const matches = (given: string, name: string) => given === ANY || given.toLowerCase() === name.toLowerCase();

/** Returns the patches of an object of the installation, in their order; without those that cannot be sent. */
export function patchesOf(resource: Resource<KubeObject>, name: string, spec: CDISpec): ComponentPatch[] {
  return given(spec).flatMap(([where, patch]) => {
    const isMeant = matches(patch.resourceType, resource.kind) && matches(patch.resourceName, name);
    const body = isMeant ? bodyOf(patch) : undefined;
    return body && isType(patch.type) ? [{ where, type: patch.type, body }] : [];
  });
}

/** Returns what is wrong with the patches, for people. */
export function patchProblems(spec: CDISpec): string[] {
  return given(spec).flatMap(([where, { resourceType, resourceName, type, patch }]) => {
    const kinds = customizableKinds.filter(({ resource }) => matches(resourceType, resource.kind));
    const isMeant = kinds.some(({ names }) => names.some((name) => matches(resourceName, name)));
    if (!isMeant) return [`${where}: ${resourceType} "${resourceName}" is none of ${customizableNames()}`];
    if (!isType(type)) return [`${where}: type is "${type}" instead of ${Object.keys(patchContentTypes).join(', ')}`];
    if (bodyOf({ type, patch })) return [];
    return [`${where}: patch is not JSON, ${type === 'json' ? 'a list of operations' : 'an object'}`];
  });
}

function given({ customizeComponents }: CDISpec): [where: string, patch: Given][] {
  return (customizeComponents?.patches ?? []).map((patch, index) => [`customizeComponents.patches[${index}]`, patch]);
}

function isType(type: string): type is PatchType {
  return Object.hasOwn(patchContentTypes, type);
}

/** Returns undefined where the text is no patch of its type. */
function bodyOf({ type, patch }: Pick<Given, 'type' | 'patch'>): object | undefined {
  try {
    const body = JSON.parse(patch) as unknown;
    const isObject = typeof body === 'object' && body !== null;
    return isObject && Array.isArray(body) === (type === 'json') ? body : undefined;
  } catch {
    return undefined;
  }
}

function customizableNames(): string {
  return customizableKinds
    .flatMap(({ resource: { kind }, names }) => names.map((name) => `${kind} "${name}"`))
    .join(', ');
}
