import { lookup, type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { networkOfAddress, type Network } from '../network.ts';
import { NetworkRefused } from './network-refused.ts';

export type AcceptsNetwork = (network: Network) => boolean;
/** As `dns.lookup` answers when it is asked for all addresses. */
export type LookupAll = (
  hostname: string,
  options: { all: true; family?: number | 'IPv4' | 'IPv6' | undefined; hints?: number | undefined },
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * A lookup that leaves out the addresses of other networks. What it answers with is what a socket connects to, so that a name
 * cannot mean one address when it is checked and another one afterwards.
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
