import type { Subject } from '../../server/certificates.ts';
import { type Lifetime, renewalOf } from '../runtime/lifetimes.ts';
import type { Certificate, Certified } from './certified.ts';

/**
 * Returns when a certificate has to be issued (again), in milliseconds since the epoch: now, where there is none that
 * could be used, or one that nobody would trust.
 *
 * @param bundle the authorities that are trusted
 * @param now milliseconds since the epoch
 */
export function issueTime(
  certified: Certified | undefined,
  subject: Subject,
  bundle: readonly Certificate[],
  lifetime: Lifetime,
  now: number,
): number {
  if (!certified || !isOf(certified, subject)) return now;
  const signer = bundle.find(({ x509, expires }) => expires > now && certified.x509.checkIssued(x509));
  if (!signer || !certified.x509.verify(signer.x509.publicKey)) return now;
  return Math.min(renewalOf(certified.made, certified.expires, lifetime), signer.expires);
}

function isOf({ x509 }: Certified, { commonName, names = [] }: Subject): boolean {
  const alternatives = names.map((name) => `DNS:${name}`).join(', ');
  return x509.subject === `CN=${commonName}` && (x509.subjectAltName ?? '') === alternatives;
}
