import { createHash } from 'node:crypto';
import { tokenReviews } from '../../kube/builtin-resources.ts';
import type { KubeClient } from '../../kube/client.ts';
import { Remembered } from './remembered.ts';

/** Milliseconds for which the answer about a token counts. */
const LIFETIME_MILLISECONDS = 30_000;
/** Tokens whose answers are kept. */
const MOST_TOKENS = 1_000;
/** Questions at the same time: whoever reaches the server may ask about any token. */
const MOST_QUESTIONS = 20;

/** A user, as the API server knows the bearer of a token. */
export interface User {
  readonly name: string;
  readonly uid: string | undefined;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** Thrown where too many tokens are asked about at the same time. */
export class TooManyQuestions extends Error {
  override readonly name = 'TooManyQuestions';
  readonly code = 'ERR_TOO_MANY_QUESTIONS';
}

/** Finds out whose token it is, by asking the API server. */
export class Authentication {
  readonly #client: KubeClient;
  readonly #users = new Remembered<User | undefined>(MOST_TOKENS, LIFETIME_MILLISECONDS);
  #questions = 0;

  constructor(client: KubeClient) {
    this.#client = client;
  }

  /**
   * Returns whose token it is; undefined where it is nobody's.
   *
   * @throws TooManyQuestions, or what the client throws
   */
  async userOf(token: string): Promise<User | undefined> {
    // A token is not kept in memory for longer than its request.
    return this.#users.get(createHash('sha256').update(token).digest('base64'), () => this.#ask(token));
  }

  async #ask(token: string): Promise<User | undefined> {
    if (this.#questions >= MOST_QUESTIONS) throw new TooManyQuestions('too many tokens are being looked at');
    this.#questions += 1;
    try {
      const { status } = await this.#client.create(tokenReviews, { spec: { token } });
      const { username, uid, groups = [], extra = {} } = status?.user ?? {};
      return status?.authenticated && username ? { name: username, uid, groups, extra } : undefined;
    } finally {
      this.#questions -= 1;
    }
  }
}
