import type { Referrer } from './redirect.ts';

/**
 * Where redirects have led a request. Requesting it directly reaches nothing more internal, and reveals nothing more,
 * than they did.
 */
export interface Place {
  url: URL;
  referrer: Referrer;
  /** Whether redirects have never led away from the origin of the first URL. */
  isAtFirstOrigin: boolean;
}
