import { isDeepStrictEqual } from 'node:util';
import type { KubeClient } from '../../kube/client.ts';
import { isConflict, isForbidden, isPermanent, toError } from '../../kube/errors.ts';
import type { ObjectKey } from '../../kube/key.ts';
import type { Configuration } from '../../kube/on-wire.ts';
import type { PatchType } from '../../kube/patch-type.ts';
import type { KubeObject, Resource } from '../../kube/resource.ts';
import { changesBetween, holds, withoutChanges } from './changes.ts';
import {
  askedFor,
  type CustomizationRecord,
  type Described,
  describedBy,
  fingerprintOf,
  recorded,
  recordOf,
} from './customization-record.ts';
import { mergePatchBetween } from './merge-patch.ts';
import type { ComponentPatch } from './patches.ts';

/** How often a write is sent that meets with new statuses. */
const ATTEMPTS = 10;

export const FIELD_MANAGER = 'diskpress-cdi';

/** What CDI.spec asks of one object of the installation. */
export interface Customization<T extends KubeObject> {
  readonly resource: Resource<T>;
  readonly key: ObjectKey;
  /** The settings, as far as they tell whether something has changed. */
  readonly settings: object;
  /** Returns the object with the settings. */
  readonly withSettings: (manifest: Described) => Described;
  readonly patches: readonly ComponentPatch[];
  /** Whether nothing follows from the object while its `spec.paused` is true. */
  readonly canPause: boolean;
}

/**
 * Makes of an object what the CDI object asks for, on top of its manifest, and gives the manifest's values back where
 * it no longer does. Each change is written together with the record of what it was, so that a crash loses nothing;
 * while more than one write is needed, a Deployment is paused, so that its pods are replaced once.
 *
 * @param known the object as the cache has it, if it is cached
 * @returns what the API server refuses of it, for people
 * @throws {ApiError} a conflict, where the object changed meanwhile
 */
export async function customize<T extends KubeObject>(
  client: KubeClient,
  asked: Customization<T>,
  known?: T,
): Promise<readonly string[]> {
  const of = askedFor(asked.settings, asked.patches);
  if (known && isSettled(known, of)) return recordOf(known)?.refused ?? [];
  const live = await client.get(asked.resource, asked.key);
  if (!live) return [];
  if (isSettled(live, of)) return recordOf(live)?.refused ?? [];
  return new Customizing(client, asked, live).carryOut(of);
}

/** Reports whether an object is as it was left, with all that is asked for, and nothing that no longer is. */
function isSettled(object: KubeObject, of: string): boolean {
  const record = recordOf(object);
  if (!record) return of === '';
  const described = describedBy(object);
  return (
    of !== '' &&
    record.of === of &&
    record.left === fingerprintOf(described.spec) &&
    record.changes.every((change) => holds(described, change))
  );
}

class Customizing<T extends KubeObject> {
  readonly #client: KubeClient;
  readonly #asked: Customization<T>;
  readonly #manifest: Described;
  readonly #refused: string[] = [];
  #live: T;

  constructor(client: KubeClient, asked: Customization<T>, live: T) {
    this.#client = client;
    this.#asked = asked;
    this.#live = live;
    this.#manifest = withoutChanges(describedBy(live), recordOf(live)?.changes ?? []);
  }

  async carryOut(of: string): Promise<readonly string[]> {
    const { withSettings, patches, canPause } = this.#asked;
    const pausing = canPause && patches.length > 0;
    const set = withSettings(this.#manifest);
    const tried = await this.#try('the settings of the CDI object', 'merge', this.#patchTo(set));
    const target = tried ?? this.#manifest;
    await this.#write(pausing ? paused(target) : target, { of: patches.length > 0 ? '' : of });
    for (const { where, type, body } of patches) {
      const patched = await this.#try(where, type, body);
      if (patched) await this.#write(patched, { of: '' });
    }
    const result = describedBy(this.#live);
    if (patches.length > 0) await this.#write(pausing ? resumed(result, this.#manifest) : result, { of });
    return this.#refused;
  }

  /** Returns what the object would become, with what the API server makes of it; undefined where it refuses. */
  async #try(where: string, type: PatchType, body: object): Promise<Described | undefined> {
    try {
      const { resource, key } = this.#asked;
      return describedBy(await this.#client.tryPatch(resource, key, body, { type, fieldManager: FIELD_MANAGER }));
    } catch (error) {
      if (!isPermanent(error) && !isForbidden(error)) throw error;
      const { kind } = this.#asked.resource;
      this.#refused.push(`${kind} "${this.#asked.key.name}": ${where}: ${toError(error).message}`);
      return undefined;
    }
  }

  async #write(wanted: Described, { of }: { readonly of: string }): Promise<void> {
    const changes = changesBetween(this.#manifest, wanted);
    const isUnchanged = changes.length === 0 && of === '' && this.#refused.length === 0;
    const record: CustomizationRecord | undefined = isUnchanged
      ? undefined
      : { of, left: fingerprintOf(wanted.spec), changes, ...(this.#refused.length > 0 && { refused: this.#refused }) };
    const patch = this.#patchTo(wanted);
    const annotations = { ...patch.metadata?.annotations, ...recorded(record) };
    await this.#send({ ...patch, metadata: { ...patch.metadata, annotations } });
  }

  /** Sends a patch of what was read. Of what is written meanwhile, a status is no conflict: it is for every write. */
  async #send(patch: object & { readonly metadata: object }): Promise<void> {
    const { resource, key } = this.#asked;
    for (let attempt = 1; ; attempt++) {
      const { uid, resourceVersion } = this.#live.metadata ?? {};
      const body = { ...patch, metadata: { ...patch.metadata, uid, resourceVersion } };
      try {
        this.#live = await this.#client.mergePatch(resource, key, body as unknown as Configuration<T>, {
          fieldManager: FIELD_MANAGER,
        });
        return;
      } catch (error) {
        const found = isConflict(error) && attempt < ATTEMPTS ? await this.#client.get(resource, key) : undefined;
        if (!found || !isDeepStrictEqual(describedBy(found), describedBy(this.#live))) throw error;
        this.#live = found;
      }
    }
  }

  #patchTo(wanted: Described): { metadata?: { annotations?: object } } {
    return mergePatchBetween(describedBy(this.#live), wanted) ?? {};
  }
}

function paused(described: Described): Described {
  return { ...described, spec: { ...(described.spec as object), paused: true } };
}

function resumed(described: Described, manifest: Described): Described {
  const { paused: before } = manifest.spec as { paused?: boolean };
  return { ...described, spec: { ...(described.spec as object), paused: before } };
}
