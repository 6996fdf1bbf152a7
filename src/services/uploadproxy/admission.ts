import { Refusal } from './refusal.ts';

/** Uploads at a time, held ones included: each needs up to half a megabyte of memory. */
export const MAXIMUM_UPLOADS = 100;
/** Of these, those into one claim: one of them writes, and others may be what is left of broken connections. */
export const MAXIMUM_UPLOADS_PER_CLAIM = 8;

/** Counts the uploads that are under way. */
export class Uploads {
  readonly #byClaim = new Map<string, number>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /**
   * @param uid of the claim
   * @returns a function to call once, at the end of the upload
   * @throws Refusal 503 where there are too many
   */
  admit(uid: string): () => void {
    const ofClaim = this.#byClaim.get(uid) ?? 0;
    if (this.#count >= MAXIMUM_UPLOADS) {
      throw new Refusal(503, `this upload proxy has ${MAXIMUM_UPLOADS} uploads at a time already: try again later`, {
        headers: { 'retry-after': '10' },
      });
    }
    if (ofClaim >= MAXIMUM_UPLOADS_PER_CLAIM) {
      throw new Refusal(
        503,
        `${MAXIMUM_UPLOADS_PER_CLAIM} requests wait for the upload server of this claim already: try again later`,
        { headers: { 'retry-after': '10' } },
      );
    }
    this.#count++;
    this.#byClaim.set(uid, ofClaim + 1);
    return () => {
      this.#count--;
      const left = (this.#byClaim.get(uid) ?? 1) - 1;
      if (left === 0) this.#byClaim.delete(uid);
      else this.#byClaim.set(uid, left);
    };
  }
}
