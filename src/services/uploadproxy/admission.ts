import { Refusal } from './refusal.ts';

/** Uploads at a time, held ones included: each needs up to half a megabyte of memory. */
export const MAXIMUM_UPLOADS = 100;
/** Of these, those into the claims of one namespace, so that nobody takes the room of all others. */
export const MAXIMUM_UPLOADS_PER_NAMESPACE = 60;
/** Of these, those into one claim: one of them writes, and others may be what is left of broken connections. */
export const MAXIMUM_UPLOADS_PER_CLAIM = 8;

/** Counts the uploads that are under way. */
export class Uploads {
  readonly #byClaim = new Map<string, number>();
  readonly #byNamespace = new Map<string, number>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /**
   * @param claim its namespace, and its uid
   * @returns a function to call once, at the end of the upload
   * @throws Refusal 503 where there are too many
   */
  admit({ namespace, uid }: { readonly namespace: string; readonly uid: string }): () => void {
    if (this.#count >= MAXIMUM_UPLOADS) {
      throw new Refusal(503, `this upload proxy has ${MAXIMUM_UPLOADS} uploads at a time already: try again later`, {
        headers: { 'retry-after': '10' },
      });
    }
    if ((this.#byNamespace.get(namespace) ?? 0) >= MAXIMUM_UPLOADS_PER_NAMESPACE) {
      throw new Refusal(
        503,
        `this upload proxy has ${MAXIMUM_UPLOADS_PER_NAMESPACE} uploads into namespace ${namespace} at a time already: ` +
          'try again later',
        { headers: { 'retry-after': '10' } },
      );
    }
    if ((this.#byClaim.get(uid) ?? 0) >= MAXIMUM_UPLOADS_PER_CLAIM) {
      throw new Refusal(
        503,
        `${MAXIMUM_UPLOADS_PER_CLAIM} requests wait for the upload server of this claim already: try again later`,
        { headers: { 'retry-after': '10' } },
      );
    }
    this.#count++;
    count(this.#byNamespace, namespace, 1);
    count(this.#byClaim, uid, 1);
    return () => {
      this.#count--;
      count(this.#byNamespace, namespace, -1);
      count(this.#byClaim, uid, -1);
    };
  }
}

/** Adds to a count, and forgets it where nothing is left. */
function count(counts: Map<string, number>, key: string, change: 1 | -1): void {
  const now = (counts.get(key) ?? 0) + change;
  if (now === 0) counts.delete(key);
  else counts.set(key, now);
}
