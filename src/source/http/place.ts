import type { Referrer } from './redirect.ts';

/** Where redirects have led a request. To ask there again leads no further inside, and tells no more, than they did. */
export interface Place {
  url: URL;
  referrer: Referrer;
  /** Whether they have never led away from the origin of the first URL. */
  isAtFirstOrigin: boolean;
}
