import { isDeepStrictEqual } from 'node:util';
import {
  type PersistentVolume,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  secrets,
  services,
} from '../../../src/kube/builtin-resources.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import { keyOf, keyToString, type ObjectKey } from '../../../src/kube/key.ts';
import type { KubeObject, Resource } from '../../../src/kube/resource.ts';
import { volumeSnapshots } from '../../../src/kube/snapshot-resources.ts';
import { follow } from '../../support/follow.ts';

/** An object with all that people and controllers write on it. */
export interface Recorded extends KubeObject {
  spec?: unknown;
  data?: unknown;
  status?: { phase?: string };
}

const resources = [
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  secrets,
  services,
  volumeSnapshots,
] as readonly Resource<Recorded>[];

const WORK_FOR = 'cdi.kubevirt.io/work.targetClaim';

/** Writes down everything that happens to the objects of a namespace, and to the volumes that its claims have. */
export class NamespaceRecorder {
  readonly #namespace: string;
  readonly #first = new Map<string, Recorded>();
  readonly #changes: string[] = [];
  readonly #appeared = new Map<string, Recorded>();
  readonly #ending = new AbortController();
  readonly #watching: Promise<void>[] = [];
  #begun = false;

  constructor(namespace: string) {
    this.#namespace = namespace;
  }

  /** Resolves once nothing escapes it: what is there by then is what must stay. */
  async start(client: KubeClient): Promise<void> {
    for (const resource of resources) {
      const { ended } = await follow(client, resource, this.#ending.signal, (object, deleted) =>
        this.#note(object, deleted),
      );
      this.#watching.push(ended);
    }
    this.#begun = true;
  }

  /** @throws where something may have escaped it */
  async stop(): Promise<void> {
    this.#ending.abort();
    await Promise.all(this.#watching);
  }

  /** What was changed or removed of what was there at the beginning, in sentences. */
  get changes(): readonly string[] {
    return this.#changes;
  }

  /** What was not there at the beginning, in the state in which it was seen last. */
  get appeared(): readonly Recorded[] {
    return [...this.#appeared.values()];
  }

  /** What the controllers made here for a claim, and for the claims that they made for it. */
  madeFor(claim: ObjectKey): Recorded[] {
    const made = this.appeared.filter(({ metadata }) => metadata?.annotations?.[WORK_FOR] === keyToString(claim));
    const working = made.filter(({ kind }) => kind === 'PersistentVolumeClaim').map(keyOf);
    return [...made, ...working.flatMap((each) => this.madeFor(each))];
  }

  #note(object: Recorded, deleted: boolean): void {
    const uid = object.metadata?.uid ?? '';
    const known = this.#first.get(uid);
    if (!known && !this.#isHere(object)) return;
    if (!this.#begun) this.#first.set(uid, object);
    else if (!known) this.#appeared.set(uid, object);
    else if (deleted) this.#changes.push(`${nameOf(object)} was removed`);
    else if (!isDeepStrictEqual(essenceOf(known), essenceOf(object))) {
      this.#changes.push(`${nameOf(object)} became ${JSON.stringify(essenceOf(object))}`);
    }
  }

  #isHere(object: Recorded): boolean {
    if (object.kind !== 'PersistentVolume') return object.metadata?.namespace === this.#namespace;
    return (object as PersistentVolume).spec?.claimRef?.namespace === this.#namespace;
  }
}

/** What of an object is somebody's doing. */
function essenceOf({ metadata, spec, data, status }: Recorded) {
  const { labels, annotations, ownerReferences, finalizers, deletionTimestamp } = metadata ?? {};
  return { labels, annotations, ownerReferences, finalizers, deletionTimestamp, spec, data, phase: status?.phase };
}

export function nameOf({ kind, metadata }: KubeObject): string {
  return `${kind} ${metadata?.namespace ? `${metadata.namespace}/` : ''}${metadata?.name}`;
}
