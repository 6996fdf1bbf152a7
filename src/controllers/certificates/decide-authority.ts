import { type Lifetime, renewalOf } from '../runtime/lifetimes.ts';
import { type Certificate, type Certified, isSame } from './certified.ts';
import { announcementOf } from './succession.ts';

/** What there is of an authority. */
export interface AuthorityState {
  /** What is signed with; undefined also where it is damaged. */
  readonly current: Certified | undefined;
  /** What will be signed with once everybody knows it. */
  readonly next: Certified | undefined;
  /** What everybody trusts. */
  readonly bundle: readonly Certificate[];
  /** When the bundle was last changed, in milliseconds since the epoch; 0 where that is not known. */
  readonly announced: number;
}

/** The next write, or when to look again, in milliseconds since the epoch. */
export type AuthorityStep =
  | { readonly step: 'prepare' }
  | { readonly step: 'announce'; readonly bundle: readonly Certificate[] }
  | { readonly step: 'promote'; readonly next: Certified }
  | { readonly step: 'wait'; readonly until: number };

/**
 * Decides how an authority is replaced: its successor is prepared beside it, announced in the bundle, and signs once
 * that was out for long enough. The one before stays in the bundle until it expires, and so longer than whatever it has
 * signed. Where there is none to sign with, nobody is kept waiting.
 *
 * @param now milliseconds since the epoch
 */
export function decideAuthority(state: AuthorityState, lifetime: Lifetime, now: number): AuthorityStep {
  const current = valid(state.current, now);
  const next = valid(state.next, now);
  const renewal = current && renewalOf(current.made, current.expires, lifetime);
  if (!next && (renewal === undefined || renewal <= now)) return { step: 'prepare' };
  const bundle = bundleOf([next, current, ...state.bundle], now);
  if (!sameBundle(bundle, state.bundle)) return { step: 'announce', bundle };
  const promotion = current ? state.announced + announcementOf(lifetime) : now;
  if (next && promotion <= now) return { step: 'promote', next };
  const expiries = bundle.map(({ expires }) => expires);
  return { step: 'wait', until: Math.min(...expiries, next ? promotion : (renewal ?? now)) };
}

function valid(authority: Certified | undefined, now: number): Certified | undefined {
  return authority && authority.expires > now ? authority : undefined;
}

/** Returns those that are still valid, the newest first and each once. */
function bundleOf(certificates: readonly (Certificate | undefined)[], now: number): Certificate[] {
  return certificates
    .filter((each) => each !== undefined)
    .filter(({ expires }) => expires > now)
    .filter((each, index, all) => all.findIndex((other) => isSame(each, other)) === index);
}

function sameBundle(one: readonly Certificate[], other: readonly Certificate[]): boolean {
  return one.length === other.length && one.every((each) => other.some((candidate) => isSame(each, candidate)));
}
