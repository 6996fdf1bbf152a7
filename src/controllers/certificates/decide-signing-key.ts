import { isDeepStrictEqual } from 'node:util';
import type { VerificationKey } from '../../server/signing-key.ts';
import type { Lifetime } from '../runtime/lifetimes.ts';
import { announcementOf } from './succession.ts';

/** A private key (PKCS #8, PEM) and its public one. */
export interface SigningKey {
  readonly privateKey: string;
  readonly publicKey: VerificationKey;
}

/** What there is of the keys of upload tokens. */
export interface SigningKeyState {
  /** What is signed with; undefined also where it is damaged. */
  readonly current: SigningKey | undefined;
  /** What will be signed with once it is known. */
  readonly next: SigningKey | undefined;
  /** When the newest of them was made, in milliseconds since the epoch; 0 where that is not known. */
  readonly made: number;
  /** The public keys by which tokens are accepted. */
  readonly accepted: readonly VerificationKey[];
  /** When these were last changed, in milliseconds since the epoch; 0 where that is not known. */
  readonly announced: number;
}

/** The next write, or when to look again, in milliseconds since the epoch. */
export type SigningKeyStep =
  | { readonly step: 'prepare' }
  | { readonly step: 'announce'; readonly accepted: readonly VerificationKey[] }
  | { readonly step: 'promote'; readonly next: SigningKey }
  | { readonly step: 'wait'; readonly until: number };

/**
 * Decides how the key of upload tokens is replaced: as an authority is, but that two keys are accepted at a time, the
 * present one and its successor or the one before it.
 *
 * @param now milliseconds since the epoch
 */
export function decideSigningKey(state: SigningKeyState, lifetime: Lifetime, now: number): SigningKeyStep {
  const { current, next, made, accepted, announced } = state;
  const renewal = made + lifetime.duration - lifetime.renewBefore;
  if (!next && (!current || renewal <= now)) return { step: 'prepare' };
  const others = accepted.filter(({ kid }) => kid !== current?.publicKey.kid && kid !== next?.publicKey.kid);
  const wanted = [next?.publicKey, current?.publicKey, ...others].filter((key) => key !== undefined).slice(0, 2);
  if (!isDeepStrictEqual(wanted, accepted)) return { step: 'announce', accepted: wanted };
  const promotion = current ? announced + announcementOf(lifetime) : now;
  if (next && promotion <= now) return { step: 'promote', next };
  return { step: 'wait', until: next ? promotion : renewal };
}
