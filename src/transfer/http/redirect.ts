import { TransferError } from '../errors.ts';
import type { Referrer } from './client.ts';
import type { NetworkRefused } from './direct/network-refused.ts';
import { describeUrl } from './location.ts';
import { networkNames } from './network.ts';

/** In characters; signed URLs have two thousand. */
const LONGEST_URL = 8192;
/** In characters: the name system has no longer ones. */
const LONGEST_HOST = 253;

/**
 * Where a Location leads (RFC 9110 section 10.2.2).
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

export function redirectRefused(from: Referrer, to: URL, cause: NetworkRefused): TransferError {
  return new TransferError(
    'RedirectRefused',
    `${describeUrl(from.url)} leads to ${to.host}, which is ${networkNames[cause.network]}, and itself is ` +
      `${networkNames[from.network]}: what is further inside is not read for servers that are not. Give a URL of ${to.host} ` +
      'itself, or have the administrator add ImportFollowsInternalRedirects to featureGates in spec.config of the CDI object',
    { cause },
  );
}
