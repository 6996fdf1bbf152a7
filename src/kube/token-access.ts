import { createHash } from 'node:crypto';
import { subjectAccessReviews, tokenReviews } from './builtin-resources.ts';
import type { KubeClient } from './client.ts';

/** For so long, a decision stands without the API server being asked again, in milliseconds. */
const ALLOWED_MILLISECONDS = 60_000;
const REFUSED_MILLISECONDS = 10_000;
/** Decisions that are remembered. */
const MOST_DECISIONS = 1_000;
/** Tokens of strangers that are taken to the API server within a second: anybody may send one. */
const MOST_STRANGERS = 20;

/** What somebody wants to do with a path of a server, which is no resource of the API. */
export interface PathAccess {
  readonly path: string;
  readonly verb: string;
}

/** Whose token it is may not be known, or that user may not, or the API server is not asked about more at present. */
export type AccessDecision = 'allowed' | 'unknown' | 'forbidden' | 'busy';

interface Remembered {
  readonly decision: Promise<AccessDecision>;
  /** Milliseconds since the epoch; while the API server is being asked, without end. */
  until: number;
}

/**
 * Has the API server decide what the bearer of a token may do: who that is by a TokenReview, and whether they may by a
 * SubjectAccessReview. Decisions are remembered for a short time, by a hash of the token.
 */
export class TokenAccess {
  readonly #client: Pick<KubeClient, 'create'>;
  readonly #access: PathAccess;
  readonly #now: () => number;
  readonly #decisions = new Map<string, Remembered>();
  /** Tokens that were allowed at their last decision, which are not strangers' any more. */
  readonly #familiar = new Set<string>();
  #strangers = { second: 0, count: 0 };

  /** @param now milliseconds since the epoch */
  constructor(client: Pick<KubeClient, 'create'>, access: PathAccess, now: () => number = () => Date.now()) {
    this.#client = client;
    this.#access = access;
    this.#now = now;
  }

  /** @throws ApiError or ConnectionError where the API server cannot decide; nothing is remembered then */
  async decide(token: string): Promise<AccessDecision> {
    const hash = createHash('sha256').update(token).digest('base64');
    const known = this.#decisions.get(hash);
    if (known && known.until > this.#now()) return known.decision;
    if (!this.#familiar.has(hash) && !this.#takesStranger()) return 'busy';
    this.#decisions.delete(hash);
    this.#makeRoom();
    const remembered: Remembered = { decision: this.#review(token), until: Infinity };
    this.#decisions.set(hash, remembered);
    try {
      const decision = await remembered.decision;
      remembered.until = this.#now() + (decision === 'allowed' ? ALLOWED_MILLISECONDS : REFUSED_MILLISECONDS);
      if (decision === 'allowed') this.#familiar.add(hash);
      else this.#familiar.delete(hash);
      return decision;
    } catch (error) {
      if (this.#decisions.get(hash) === remembered) this.#decisions.delete(hash);
      throw error;
    }
  }

  async #review(token: string): Promise<AccessDecision> {
    const { status } = await this.#client.create(tokenReviews, { spec: { token } });
    const { username, groups = [], uid, extra } = status?.user ?? {};
    if (status?.authenticated !== true || !username) return 'unknown';
    const review = await this.#client.create(subjectAccessReviews, {
      spec: {
        user: username,
        groups,
        ...(uid === undefined ? {} : { uid }),
        ...(extra === undefined ? {} : { extra }),
        nonResourceAttributes: { ...this.#access },
      },
    });
    return review.status?.allowed === true ? 'allowed' : 'forbidden';
  }

  #takesStranger(): boolean {
    const second = Math.floor(this.#now() / 1000);
    if (this.#strangers.second !== second) this.#strangers = { second, count: 0 };
    if (this.#strangers.count >= MOST_STRANGERS) return false;
    this.#strangers.count += 1;
    return true;
  }

  /** Forgets the oldest decisions. The API server knows few tokens that it allows, and may forget them as well. */
  #makeRoom(): void {
    for (const hash of this.#decisions.keys()) {
      if (this.#decisions.size < MOST_DECISIONS) break;
      this.#decisions.delete(hash);
    }
    if (this.#familiar.size >= MOST_DECISIONS) this.#familiar.clear();
  }
}
