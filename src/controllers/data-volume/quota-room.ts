import { parseQuantity } from '../../api/quantity.ts';
import type { PersistentVolumeClaim, ResourceQuota } from '../../kube/builtin-resources.ts';
import { keyOf, keyToString, type ObjectKey } from '../../kube/key.ts';
import { isBound } from '../claims/bound.ts';
import { byTarget } from '../objects/work-index.ts';
import type { Caches } from '../runtime/caches.ts';
import { requestedBytes } from '../transfers/transfer-target.ts';

/** A claim as quotas count it. */
export interface CountedClaim {
  readonly namespace: string;
  readonly storageClassName: string | undefined;
  /** Requested size in bytes. */
  readonly bytes: number;
}

/** The claims that are about to be created for a DataVolume. */
interface Reserved {
  readonly target: CountedClaim;
  /** The working claim; undefined where the target claim is filled directly. */
  readonly working?: CountedClaim;
}

interface Reservation extends Reserved {
  readonly key: ObjectKey;
  /** Milliseconds since the epoch. */
  readonly since: number;
}

type RoomCaches = Pick<Caches, 'quotas' | 'claims'>;

const CLASS_SUFFIX = '.storageclass.storage.k8s.io/';
/** The time after which a claim that was announced but never seen in a watch is assumed not to be coming. */
const LONGEST_MILLISECONDS = 30_000;

/**
 * Determines whether ResourceQuotas have room for a DataVolume's claim and its working claim. Announced claims are
 * reserved until they are seen, so that DataVolumes that are created together do not all count on the same room.
 *
 * Usage is computed from the existing claims and not read from the quota's status, which includes deleted claims for a
 * while. Quotas with scopes are ignored, because those that apply to claims at all select only some of them, by
 * VolumeAttributesClass.
 */
export class QuotaRoom {
  readonly #caches: RoomCaches;
  readonly #now: () => number;
  readonly #reserved = new Map<string, Reservation>();

  /** @param now milliseconds since the epoch */
  constructor(caches: RoomCaches, now: () => number) {
    this.#caches = caches;
    this.#now = now;
  }

  /**
   * Describes the quota that has no room for both claims; undefined where there is room. Where the namespace of the
   * target has no room for the target alone, the API server reports that when the claim is created.
   *
   * @param key of the target claim, whose own earlier reservation is not counted against it
   */
  lackFor(key: ObjectKey, target: CountedClaim, working: CountedClaim): string | undefined {
    const { namespace } = working;
    const isBeside = target.namespace === namespace;
    const quotas = this.#caches.quotas
      .list()
      .filter((quota) => quota.metadata?.namespace === namespace && isPlain(quota));
    if (quotas.length === 0) return undefined;
    const others = [
      ...this.#caches.claims
        .list()
        .filter((claim) => claim.metadata?.namespace === namespace)
        .map(counted),
      ...this.#awaited(key).filter((claim) => claim.namespace === namespace),
    ];
    const wanted = isBeside ? [target, working] : [working];
    for (const quota of quotas) {
      for (const [resource, hard] of Object.entries(quota.spec?.hard ?? {})) {
        const measure = measureOf(resource);
        const [used, more] = [others, wanted].map((claims) => sum(claims.map(measure))) as [number, number];
        if (more > 0 && used + more > parseQuantity(hard)) return lackIn(quota, `${resource}: ${hard}`, isBeside);
      }
    }
    return undefined;
  }

  /**
   * Reserves room for claims that are about to be created, until they are seen.
   *
   * @param key of the target claim
   */
  reserve(key: ObjectKey, claims: Reserved): void {
    this.#reserved.set(keyToString(key), { ...claims, key, since: this.#now() });
  }

  /** Drops the reservation for a target claim that is not created after all. */
  release(key: ObjectKey): void {
    this.#reserved.delete(keyToString(key));
  }

  /** Returns the claims that are reserved for other targets and have not been seen yet. */
  #awaited(except: ObjectKey): CountedClaim[] {
    const awaited: CountedClaim[] = [];
    for (const [name, { key, target, working, since }] of this.#reserved) {
      const claim = this.#caches.claims.get(key);
      const isYoung = this.#now() - since < LONGEST_MILLISECONDS;
      const isHelped = claim && this.#caches.claims.byIndex(byTarget, claim.metadata?.uid ?? '').length > 0;
      const isOver = claim ? !working || isBound(claim) || isHelped : !isYoung;
      if (isOver) this.#reserved.delete(name);
      else if (name !== keyToString(except)) awaited.push(...(claim ? [] : [target]), ...(working ? [working] : []));
    }
    return awaited;
  }
}

function isPlain({ spec }: ResourceQuota): boolean {
  return !spec?.scopes?.length && !spec?.scopeSelector;
}

function counted(claim: PersistentVolumeClaim): CountedClaim {
  return {
    namespace: keyOf(claim).namespace,
    storageClassName: claim.spec?.storageClassName,
    bytes: requestedBytes(claim),
  };
}

/** Returns a function for how much of a quota's resource a claim takes. */
function measureOf(resource: string): (claim: CountedClaim) => number {
  const [storageClassName, name = ''] = resource.includes(CLASS_SUFFIX)
    ? resource.split(CLASS_SUFFIX)
    : [undefined, resource];
  const measure = MEASURES.get(name);
  return (claim) =>
    measure && (storageClassName === undefined || storageClassName === claim.storageClassName) ? measure(claim) : 0;
}

const MEASURES: ReadonlyMap<string, (claim: CountedClaim) => number> = new Map([
  ['persistentvolumeclaims', () => 1],
  ['count/persistentvolumeclaims', () => 1],
  ['requests.storage', ({ bytes }: CountedClaim) => bytes],
]);

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

function lackIn({ metadata }: ResourceQuota, limit: string, isBeside: boolean): string {
  const what = isBeside ? 'a second claim of this size' : 'a claim of this size';
  return `ResourceQuota "${metadata?.name}" of namespace "${metadata?.namespace}" (${limit}) has no room for ${what}, from which it would be filled`;
}
