import { TransferError } from '../../base/errors.ts';
import type { NetworkRefused } from './direct/network-refused.ts';
import { describeUrl } from './location.ts';
import type { Network } from './network.ts';

/** Longest URL in characters; signed URLs have two thousand. */
const LONGEST_URL = 8192;
/** Longest host in characters, a limit of DNS. */
const LONGEST_HOST = 253;

/** A response that has led to another URL. */
export interface Referrer {
  url: URL;
  network: Network;
}

/**
 * Returns the URL of a Location header (RFC 9110 section 10.2.2).
 *
 * @throws TransferError ProtocolViolation
 */
export function redirectTarget(location: string, from: URL): URL {
  const target = location.length <= LONGEST_URL ? URL.parse(location, from.href) : null;
  if (target === null || !/^https?:$/.test(target.protocol) || target.hostname.length > LONGEST_HOST) {
    throw new TransferError('ProtocolViolation', `${describeUrl(from)} redirects to something that is no http(s) URL`);
  }
  return target;
}

/** Explains a request to a network that none may lead to. */
export function addressRefused(to: URL, cause: NetworkRefused): TransferError {
  return new TransferError(
    'AddressRefused',
    `${to.host} is at a ${cause.network} address, which is one of the machine that asks, and not of a server for it: ` +
      'give the URL by which that server is reached from elsewhere',
    { cause },
  );
}

export function redirectRefused(from: Referrer, to: URL, cause: NetworkRefused): TransferError {
  return new TransferError(
    'RedirectRefused',
    `${describeUrl(from.url)}, at a ${from.network} address, leads to ${to.host}, at a ${cause.network} one: servers may not ` +
      `lead an import further inside than they are; give the URL at ${to.host} itself, or have ImportFollowsInternalRedirects ` +
      'added to spec.config.featureGates of the CDI object',
    { cause },
  );
}
