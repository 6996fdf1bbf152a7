import type { CloneGrant } from '../../../../src/api/clone-grant.ts';
import { workForAnnotation } from '../../../../src/controllers/internal-annotations.ts';
import { persistentVolumes, type PersistentVolume } from '../../../../src/kube/builtin-resources.ts';
import { keyOf, keyToString } from '../../../../src/kube/key.ts';
import type { KubeObject } from '../../../../src/kube/resource.ts';
import type { SimulatedApi, Write } from './api.ts';
import type { Data } from './data.ts';
import { TEAM } from './installation.ts';

/**
 * Watches that nothing of other namespaces is touched on behalf of those who have no right there, that the controllers delete only
 * what they made, and that no foreign bytes arrive in the tenant's namespace.
 */
export class Law {
  readonly breaches: string[] = [];
  /** Uids of the DataVolumes whose author had the right. */
  readonly rightful = new Set<string>();
  /** Uids of the claims that were granted a clone, and of all that was made on the way to it. */
  readonly #granted = new Set<string>();
  readonly #api: SimulatedApi;
  readonly #data: Data;

  constructor(api: SimulatedApi, data: Data) {
    this.#api = api;
    this.#data = data;
    api.onWrite((write) => this.#look(write));
  }

  /** What is told about an object becomes an Event beside it. */
  lookAtEvent(about: KubeObject, reason: string): void {
    if (about.metadata?.namespace !== TEAM && !this.#isGranted(about))
      this.breaches.push(`event ${reason} about ${nameOf(about)}`);
  }

  /** Looks where the bytes on the tenant's volumes are from. */
  lookAtData(): void {
    const allowed = ['team/own', 'an import', ...(this.rightful.size > 0 ? ['golden/fedora'] : [])];
    for (const volume of this.#api.list(persistentVolumes)) {
      const foreign = this.#data.of(volume.metadata?.name).filter((origin) => !allowed.includes(origin));
      if (volume.spec?.claimRef?.namespace === TEAM && foreign.length > 0)
        this.breaches.push(
          `the bytes of ${foreign.join()} are on the volume of claim team/${volume.spec.claimRef.name}`,
        );
    }
  }

  #look(write: Write): void {
    const object = write.before ?? write.after;
    if (!object) return;
    const breach = this.#breachOf(write, object);
    if (breach) this.breaches.push(`${write.user} ${verbOf(write)} ${nameOf(object)}${breach}`);
    if (write.before === undefined && this.#isGranted(object)) this.#granted.add(write.after?.metadata?.uid ?? '');
  }

  #breachOf(write: Write, object: KubeObject): string | undefined {
    const { user, resource, before, after } = write;
    if (resource.kind === 'VolumeSnapshotContent') return undefined;
    if (resource.kind === 'CloneGrant') return this.#breachByGrant(before as CloneGrant | undefined, after);
    if (resource.kind === 'PersistentVolume') return this.#breachByVolume(write);
    if (!resource.namespaced) return ', which is no business of theirs';
    const isDeletion = before && !before.metadata?.deletionTimestamp && (!after || after.metadata?.deletionTimestamp);
    if (object.metadata?.namespace !== TEAM) return this.#isGranted(object) ? undefined : ', which is foreign';
    return user === 'controllers' && isDeletion && markOf(object) === undefined
      ? ', which they did not make'
      : undefined;
  }

  #breachByGrant(before: CloneGrant | undefined, after: KubeObject | undefined): string | undefined {
    if (before) return after ? ', which is for ever' : undefined;
    const { spec } = after as CloneGrant;
    if (!this.rightful.has(spec.dataVolume.uid)) return ', for which nobody had the right';
    this.#granted.add(spec.claimUid);
    return undefined;
  }

  #breachByVolume({ before, after }: Write): string | undefined {
    const refs = [before, after].flatMap((volume) => claimRefOf(volume) ?? []);
    const isOwn = refs.every(({ namespace, uid }) => namespace === TEAM || this.#granted.has(uid ?? ''));
    return isOwn ? undefined : ', which is the volume of a foreign claim';
  }

  #isGranted(object: KubeObject): boolean {
    return this.#granted.has(markOf(object) ?? '');
  }
}

/** The claim that a volume is bound to. */
function claimRefOf(volume: PersistentVolume | undefined) {
  return volume?.spec?.claimRef;
}

function markOf({ metadata }: KubeObject): string | undefined {
  return metadata?.annotations?.[workForAnnotation];
}

function verbOf({ before, after }: Write): string {
  if (!before) return 'created';
  return after && !after.metadata?.deletionTimestamp ? 'changed' : 'deleted';
}

function nameOf(object: KubeObject): string {
  return `${object.kind ?? 'object'} ${keyToString(keyOf(object))}`;
}
