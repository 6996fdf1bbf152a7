import type { CloneGrant } from '../../../../src/api/clone-grant.ts';
import { POD_ROLE_LABEL } from '../../../../src/api/labels.ts';
import { workForAnnotation } from '../../../../src/controllers/objects/internal-annotations.ts';
import { differs } from '../../../../src/kube/apply.ts';
import {
  type PersistentVolume,
  type PersistentVolumeClaim,
  persistentVolumes,
  type Pod,
} from '../../../../src/kube/builtin-resources.ts';
import { keyOf, keyToString, type ObjectKey } from '../../../../src/kube/key.ts';
import type { KubeObject } from '../../../../src/kube/resource.ts';
import type { VolumeSnapshot, VolumeSnapshotContent } from '../../../../src/kube/snapshot-resources.ts';
import type { SimulatedApi, Write } from './api.ts';
import type { Data } from './data.ts';
import { TEAM } from './installation.ts';

/**
 * Watches that nothing of other namespaces is touched on behalf of those who have no right there, that the controllers
 * delete only what they made, and have deleted only what was made for that, and that no foreign bytes arrive in the
 * tenant's namespace.
 */
export class Law {
  readonly breaches: string[] = [];
  /** Uids of the DataVolumes whose author had the right. */
  readonly rightful = new Set<string>();
  /** Uids of the claims that were granted a clone, and of all that was made on the way to it. */
  readonly #granted = new Set<string>();
  /** Uids of the claims and snapshots that the controllers have made for their work. */
  readonly #temporary = new Set<string>();
  readonly #api: SimulatedApi;
  readonly #data: Data;
  readonly #claimAsSeen: (key: ObjectKey) => PersistentVolumeClaim | undefined;

  /** @param claimAsSeen a claim as the controllers know it, who may be behind */
  constructor(api: SimulatedApi, data: Data, claimAsSeen: (key: ObjectKey) => PersistentVolumeClaim | undefined) {
    this.#api = api;
    this.#data = data;
    this.#claimAsSeen = claimAsSeen;
    api.onWrite((write) => this.#look(write));
  }

  /** What is told about an object becomes an Event beside it. */
  lookAtEvent(about: KubeObject, reason: string): void {
    if (about.metadata?.namespace !== TEAM && !this.#isGranted(about))
      this.breaches.push(`event ${reason} about ${nameOf(about)}`);
  }

  /** Looks where the bytes on the tenant's volumes are from. */
  lookAtData(): void {
    const allowed = ['team/own', 'an import', 'an upload', ...(this.rightful.size > 0 ? ['golden/fedora'] : [])];
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
    if (write.user === 'controllers' && write.before === undefined && markOf(object) !== undefined)
      this.#temporary.add(write.after?.metadata?.uid ?? '');
    if (write.before === undefined && this.#isGranted(object)) this.#granted.add(write.after?.metadata?.uid ?? '');
  }

  #breachOf(write: Write, object: KubeObject): string | undefined {
    const { user, resource, before, after } = write;
    if (resource.kind === 'VolumeSnapshotContent') return this.#breachByContent(write);
    if (resource.kind === 'CloneGrant') return this.#breachByGrant(before as CloneGrant | undefined, after);
    if (resource.kind === 'PersistentVolume') return this.#breachByVolume(write);
    if (!resource.namespaced) return ', which is no business of theirs';
    const isDeletion = before && !before.metadata?.deletionTimestamp && (!after || after.metadata?.deletionTimestamp);
    if (object.metadata?.namespace !== TEAM) return this.#isGranted(object) ? undefined : ', which is foreign';
    if (user === 'controllers' && !before && sourcesOf(object).some((key) => this.#isForged(key)))
      return ' of a claim that calls a foreign volume its own';
    return user === 'controllers' && isDeletion && markOf(object) === undefined
      ? ', which they did not make'
      : undefined;
  }

  #breachByGrant(before: CloneGrant | undefined, after: KubeObject | undefined): string | undefined {
    // It may be used up, and go.
    if (before) return after && differs(before.spec, (after as CloneGrant).spec) ? ', which is for ever' : undefined;
    const { spec } = after as CloneGrant;
    if (!this.rightful.has(spec.dataVolume.uid)) return ', for which nobody had the right';
    this.#granted.add(spec.claimUid);
    return undefined;
  }

  #breachByContent({ user, before }: Write): string | undefined {
    const { uid } = (before as VolumeSnapshotContent | undefined)?.spec.volumeSnapshotRef ?? {};
    return user === 'controllers' && !this.#temporary.has(uid ?? '') ? ', which is somebody’s' : undefined;
  }

  #breachByVolume({ user, before, after }: Write): string | undefined {
    const isGivenUp = user === 'controllers' && policyOf(before) === 'Retain' && policyOf(after) === 'Delete';
    const madeFor = before?.metadata?.name?.slice('pv-'.length) ?? '';
    if (isGivenUp && (!this.#temporary.has(madeFor) || claimRefOf(before)?.uid !== madeFor))
      return ', which is to be retained';
    const refs = [before, after].flatMap((volume) => claimRefOf(volume) ?? []);
    const isOwn = refs.every(({ namespace, uid }) => namespace === TEAM || this.#granted.has(uid ?? ''));
    return isOwn ? undefined : ', which is the volume of a foreign claim';
  }

  /** Whether a claim names a volume that is another's. */
  #isForged(key: ObjectKey): boolean {
    const claim = this.#claimAsSeen(key);
    const volume = this.#api.find(persistentVolumes, { namespace: '', name: claim?.spec?.volumeName ?? '' });
    return volume !== undefined && volume.spec?.claimRef?.uid !== claim?.metadata?.uid;
  }

  #isGranted(object: KubeObject): boolean {
    return this.#granted.has(markOf(object) ?? '');
  }
}

/** The claim that a volume is bound to. */
function claimRefOf(volume: PersistentVolume | undefined) {
  return volume?.spec?.claimRef;
}

function policyOf(volume: PersistentVolume | undefined): string | undefined {
  return volume?.spec?.persistentVolumeReclaimPolicy;
}

/** The claims that something new is filled from, or reads. */
function sourcesOf(object: KubeObject): ObjectKey[] {
  const { namespace } = keyOf(object);
  const { dataSource } = (object as PersistentVolumeClaim).spec ?? {};
  const names = [
    dataSource?.kind === 'PersistentVolumeClaim' ? dataSource.name : undefined,
    (object as Partial<VolumeSnapshot>).spec?.source?.persistentVolumeClaimName,
    ...((object as Pod).spec?.volumes ?? []).map(({ persistentVolumeClaim }) =>
      isReader(object) ? persistentVolumeClaim?.claimName : undefined,
    ),
  ];
  return names.filter((name) => name !== undefined).map((name) => ({ namespace, name }));
}

function isReader({ metadata }: KubeObject): boolean {
  return metadata?.labels?.[POD_ROLE_LABEL] === 'cdi-clone-source';
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
