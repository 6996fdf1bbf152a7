import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import type { Caches } from '../runtime/caches.ts';
import { hasProvisioner, longestProvisionerWait } from './awaiting-provisioner.ts';
import { SELECTED_NODE_ANNOTATION, waitsForFirstConsumer } from './wait-for-first-consumer.ts';

/** The time for which the first look at a claim is remembered, so that its grace period is not granted again. */
const REMEMBERED_MILLISECONDS = 60_000;

/**
 * Delays the first write to a claim that may be populated until the volume controller of Kubernetes has written the
 * provisioner on it, for a limited time.
 */
export class ProvisionerGrace {
  readonly #caches: Pick<Caches, 'storageClasses'>;
  readonly #now: () => number;
  /** The time at which each claim was first seen, by uid, in chronological order. */
  readonly #since = new Map<string, number>();

  /** @param now milliseconds since the epoch */
  constructor(caches: Pick<Caches, 'storageClasses'>, now: () => number) {
    this.#caches = caches;
    this.#now = now;
  }

  /** Returns the milliseconds for which a claim must not be written to; a change of the claim may end that sooner. */
  left(claim: PersistentVolumeClaim): number {
    const { uid = '', annotations } = claim.metadata ?? {};
    if (hasProvisioner(claim)) return 0;
    // Before a node is selected for such a claim, the volume controller names no provisioner.
    if (annotations?.[SELECTED_NODE_ANNOTATION] === undefined && waitsForFirstConsumer(claim, this.#caches)) return 0;
    const now = this.#now();
    const since = this.#since.get(uid) ?? now;
    for (const [other, began] of this.#since) {
      if (now - began < REMEMBERED_MILLISECONDS) break;
      this.#since.delete(other);
    }
    this.#since.set(uid, since);
    return Math.max(0, since + longestProvisionerWait(claim, this.#caches) - now);
  }
}
