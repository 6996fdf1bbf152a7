import { TransferError } from '../../base/errors.ts';
import type { HttpResponse } from './client.ts';
import type { Place } from './place.ts';

/** Requests the object with these headers besides the caller's own, directly from `place` where that is given. */
export type ObjectRequest = (headers: Record<string, string>, place: Place | undefined) => Promise<HttpResponse>;

/** How many consecutive responses have to fail at the redirected URL before the first URL is requested again. */
const MOST_FAILURES = 3;
/** In bytes. */
const LARGEST_IGNORED_BODY = 64 * 1024;
/** Refusals that may be temporary at the same URL, and 416, which answers the request. */
const ownRefusals = new Set([408, 416, 425, 429]);

/**
 * Requests the parts of one object. Redirects are followed for the first request, and the others go directly to where
 * it ended, because mirrors have their own versions and tags. Where that is refused, for example because a signature
 * has expired, the first URL is requested again.
 */
export class SettledRequest {
  readonly #request: ObjectRequest;
  #place: Place | undefined;
  #failures = 0;

  constructor(request: ObjectRequest) {
    this.#request = request;
  }

  /** Starts again from the first URL. */
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

  /** @returns undefined where the first URL has to be requested */
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
