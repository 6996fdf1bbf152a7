import { lookup, type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { type Network, networkOfAddress } from '../network.ts';
import { NetworkRefused } from './network-refused.ts';

export type AcceptsNetwork = (network: Network) => boolean;
/** The form of `dns.lookup` that returns all addresses. */
export type LookupAll = (
  hostname: string,
  options: { all: true; family?: number | 'IPv4' | 'IPv6' | undefined; hints?: number | undefined },
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * Makes a lookup that leaves out addresses of other networks. The socket connects to its result, so that a name cannot
 * resolve to one address when it is checked and to another one afterwards.
 */
export function lookupWithin(accepts: AcceptsNetwork, lookupAll: LookupAll = lookup): LookupFunction {
  return (hostname, { all, family, hints }, done) => {
    lookupAll(hostname, { family, hints, all: true }, (error, addresses) => {
      if (error !== null) {
        done(error, '');
        return;
      }
      const accepted = addresses.filter(({ address }) => accepts(networkOfAddress(address)));
      const [first] = accepted;
      if (first === undefined) done(refusalOf(addresses), '');
      else if (all === true) done(null, accepted);
      else done(null, first.address, first.family);
    });
  };
}

function refusalOf([first]: LookupAddress[]): Error {
  if (first === undefined) return Object.assign(new Error('the name has no addresses'), { code: 'ENOTFOUND' });
  return new NetworkRefused(networkOfAddress(first.address));
}
