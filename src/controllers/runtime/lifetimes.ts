import type { CDISpec } from '../../api/cdi.ts';
import { parseDuration } from '../../api/duration.ts';

/** How long something is valid, and how long before its end it is replaced: milliseconds. */
export interface Lifetime {
  readonly duration: number;
  readonly renewBefore: number;
}

/** The lifetimes that CDI.spec.certConfig can set. */
export interface Lifetimes {
  readonly ca: Lifetime;
  readonly server: Lifetime;
  readonly client: Lifetime;
}

const HOUR_MILLISECONDS = 3_600_000;

const DEFAULT_LIFETIMES: Lifetimes = {
  ca: { duration: 48 * HOUR_MILLISECONDS, renewBefore: 24 * HOUR_MILLISECONDS },
  server: { duration: 24 * HOUR_MILLISECONDS, renewBefore: 12 * HOUR_MILLISECONDS },
  client: { duration: 24 * HOUR_MILLISECONDS, renewBefore: 12 * HOUR_MILLISECONDS },
};

/** Shorter ones could not be replaced in time. */
const SHORTEST_DURATION_MILLISECONDS = 60_000;

/** Certificates have times of whole seconds. */
const PRECISION_MILLISECONDS = 1000;

/**
 * Returns the lifetimes in force. Where one is missing, or is one that the CRD refuses, the default applies.
 */
export function lifetimesOf(certConfig: CDISpec['certConfig']): Lifetimes {
  return {
    ca: lifetimeOf(certConfig?.ca, DEFAULT_LIFETIMES.ca),
    server: lifetimeOf(certConfig?.server, DEFAULT_LIFETIMES.server),
    client: lifetimeOf(certConfig?.client, DEFAULT_LIFETIMES.client),
  };
}

function lifetimeOf(
  given: { readonly duration?: string | undefined; readonly renewBefore?: string | undefined } | undefined,
  preset: Lifetime,
): Lifetime {
  const duration = given?.duration === undefined ? preset.duration : parseDuration(given.duration);
  if (duration === undefined) return preset;
  const renewBefore = given?.renewBefore === undefined ? duration / 2 : parseDuration(given.renewBefore);
  if (renewBefore === undefined || duration < SHORTEST_DURATION_MILLISECONDS || renewBefore >= duration) return preset;
  return { duration, renewBefore };
}

/**
 * Returns when something has to be replaced, in milliseconds since the epoch. What was made for longer than is asked
 * for now is replaced sooner, and what could not be made for so long, when half of its life is over.
 */
export function renewalOf(made: number, expires: number, { duration, renewBefore }: Lifetime): number {
  const end = Math.min(expires, made + duration);
  const isCutShort = expires - made < duration - PRECISION_MILLISECONDS;
  return end - (isCutShort ? Math.min(renewBefore, (end - made) / 2) : renewBefore);
}
