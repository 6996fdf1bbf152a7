import { parseQuantity } from '../../api/quantity.ts';
import type { PersistentVolumeClaim, ResourceQuota } from '../../kube/builtin-resources.ts';
import { keyOf, keyToString, type Key } from '../../kube/key.ts';
import { byTarget } from '../objects/work-index.ts';
import type { Caches } from '../runtime/caches.ts';
import { isBound } from '../claims/bound.ts';
import { requestedBytes } from '../transfers/transfer-target.ts';

/** A claim as quotas count it. */
export interface CountedClaim {
  readonly namespace: string;
  readonly storageClassName: string | undefined;
  /** What it requests. */
  readonly bytes: number;
}

/** What is about to be made for a DataVolume. */
interface Reserved {
  readonly target: CountedClaim;
  /** The one that is filled, and then gives the target its volume; undefined where the target is filled itself. */
  readonly working?: CountedClaim;
}

interface Reservation extends Reserved {
  readonly key: Key;
  /** Milliseconds since the epoch. */
  readonly since: number;
}

type RoomCaches = Pick<Caches, 'quotas' | 'claims'>;

const CLASS_SUFFIX = '.storageclass.storage.k8s.io/';
/** After which a claim that was to be made, and that no watch has shown, is taken not to be made. */
const LONGEST_MILLISECONDS = 30_000;

/**
 * Tells whether ResourceQuotas have room for a DataVolume's claim and the one that it is filled from. What each claim is about to take is
 * remembered until it is seen, so that DataVolumes which come together do not all count on the same room.
 *
 * It counts the claims that there are, and not what a quota's status says is used, which for a while includes those that are gone. Quotas
 * with scopes are left out: those that are for claims at all select some of them by a class of attributes.
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
   * Which quota has no room for both claims, in words; undefined where there is room. One that has none for the target alone in its
   * own namespace is for the API server to tell.
   *
   * @param key of the target claim; what was reserved for it before is not counted against it
   */
  lackFor(key: Key, target: CountedClaim, working: CountedClaim): string | undefined {
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
   * Counts claims that are about to be made, until they are seen.
   *
   * @param key of the target
   */
  reserve(key: Key, claims: Reserved): void {
    this.#reserved.set(keyToString(key), { ...claims, key, since: this.#now() });
  }

  /** Forgets what was reserved for a target that is not made now. */
  release(key: Key): void {
    this.#reserved.delete(keyToString(key));
  }

  /** The claims that have been reserved for other targets and are not seen yet. */
  #awaited(except: Key): CountedClaim[] {
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

/** How much of a quota's resource a claim takes. */
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
