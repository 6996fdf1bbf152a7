import { TransferError } from '../../base/errors.ts';
import type { HttpResponse } from './client.ts';
import type { Place } from './place.ts';

/** Asks for the object with these headers besides the caller's own; where redirects have led before, if that is given. */
export type ObjectRequest = (headers: Record<string, string>, place: Place | undefined) => Promise<HttpResponse>;

/** So many answers in a row have to fail where redirects have led before the first URL is asked whether it leads elsewhere. */
const MOST_FAILURES = 3;
/** In bytes. */
const LARGEST_IGNORED_BODY = 64 * 1024;
/** Refusals that may pass where they come from, and 416, which is an answer. */
const ownRefusals = new Set([408, 416, 425, 429]);

/**
 * Requests for the parts of one object. Redirects are followed for the first of them, and the others go where it was answered: mirrors have
 * versions and tags of their own. Where that refuses, as when a signature has expired, the first URL is asked again.
 */
export class SettledRequest {
  readonly #request: ObjectRequest;
  #place: Place | undefined;
  #failures = 0;

  constructor(request: ObjectRequest) {
    this.#request = request;
  }

  /** Begins at the first URL again. */
  leave(): void {
    this.#place = undefined;
    this.#failures = 0;
  }

  async ask(headers: Record<string, string>): Promise<HttpResponse> {
    const settled = this.#place === undefined ? undefined : await this.#askAt(this.#place, headers);
    if (settled !== undefined) return settled;
    const response = await this.#request(headers, undefined);
    if (response.status < 300) this.#place = response.place;
    return response;
  }

  /** @returns undefined where the first URL is to be asked */
  async #askAt(place: Place, headers: Record<string, string>): Promise<HttpResponse | undefined> {
    try {
      const response = await this.#request(headers, place);
      const { status } = response;
      this.#failures = status < 400 || status === 416 ? 0 : this.#failures + 1;
      if (status < 400 || status >= 500 || ownRefusals.has(status)) return response;
      await response.body.dump({ limit: LARGEST_IGNORED_BODY });
    } catch (error) {
      this.#failures += 1;
      if (!(error instanceof TransferError) || !error.permanent) throw error;
    } finally {
      if (this.#failures >= MOST_FAILURES) this.leave();
    }
    this.leave();
    return undefined;
  }
}
