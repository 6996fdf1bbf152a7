import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import { PROVISIONER_ANNOTATION } from './awaiting-provisioner.ts';
import { isBound } from './bound.ts';

/** For how long it is known of a claim that it has had its time. */
const REMEMBERED_MILLISECONDS = 60_000;

/**
 * Leaves a claim alone from when it may be filled until the volume controller of Kubernetes has written the provisioner on it, for a limited
 * time: where two write at once, it says in a Warning event that it could not save the claim.
 */
export class ProvisionerGrace {
  readonly #longest: number;
  readonly #now: () => number;
  /** When each claim was first asked about, by uid; the newest last. */
  readonly #since = new Map<string, number>();

  /**
   * @param longest milliseconds
   * @param now milliseconds since the epoch
   */
  constructor(longest: number, now: () => number) {
    this.#longest = longest;
    this.#now = now;
  }

  /** Milliseconds for which a claim is to be left alone; its next change may end that sooner. */
  left(claim: PersistentVolumeClaim): number {
    const { uid = '', annotations } = claim.metadata ?? {};
    if (isBound(claim) || annotations?.[PROVISIONER_ANNOTATION] !== undefined) return 0;
    const now = this.#now();
    const since = this.#since.get(uid) ?? now;
    for (const [other, began] of this.#since) {
      if (now - began < REMEMBERED_MILLISECONDS) break;
      this.#since.delete(other);
    }
    this.#since.set(uid, since);
    return Math.max(0, since + this.#longest - now);
  }
}
