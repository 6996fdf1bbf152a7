import { BlockList, isIP } from 'node:net';

/** The kind of network that an address belongs to, from the outermost to the innermost. */
export type Network = 'public' | 'private' | 'loopback' | 'link-local';

/** How internal each kind is. The two innermost do not lead to each other. */
const depth: Readonly<Record<Network, number>> = { public: 0, private: 1, loopback: 2, 'link-local': 2 };

type Subnet = readonly [address: string, prefix: number];

/** IANA's registries of special-purpose addresses, and metadata services of clouds outside the link-local ranges. */
const subnets: Readonly<Record<Exclude<Network, 'public'>, { v4: readonly Subnet[]; v6: readonly Subnet[] }>> = {
  'link-local': {
    // In addition to RFC 3927: the metadata services of Alibaba, Azure and Oracle.
    v4: [
      ['169.254.0.0', 16],
      ['100.100.100.200', 32],
      ['168.63.129.16', 32],
      ['192.0.0.192', 32],
    ],
    // In addition to RFC 4291: the metadata services of Amazon and Google.
    v6: [
      ['fe80::', 10],
      ['fd00:ec2::', 32],
      ['fd20:ce::', 32],
    ],
  },
  loopback: {
    // Linux treats "this host" as loopback.
    v4: [
      ['127.0.0.0', 8],
      ['0.0.0.0', 8],
    ],
    v6: [['::', 127]],
  },
  private: {
    // RFC 1918, RFC 6598, and ranges that are not routed between networks: protocol assignments, benchmarks, multicast,
    // reserved.
    v4: [
      ['10.0.0.0', 8],
      ['172.16.0.0', 12],
      ['192.168.0.0', 16],
      ['100.64.0.0', 10],
      ['192.0.0.0', 24],
      ['198.18.0.0', 15],
      ['224.0.0.0', 3],
    ],
    // RFC 4193, the former site-local range, multicast, and the NAT64 prefix for local use.
    v6: [
      ['fc00::', 7],
      ['fec0::', 10],
      ['ff00::', 8],
      ['64:ff9b:1::', 48],
    ],
  },
};

/**
 * IPv6 forms that embed IPv4 addresses, besides the mapped one, which BlockList supports: compatible, translated
 * (SIIT), and both kinds of NAT64.
 */
const embeddings = ['::', '::ffff:0:', '64:ff9b::', '64:ff9b:1::'];

/** Lists from the innermost to the outermost network. */
const lists = (['link-local', 'loopback', 'private'] as const).map((network) => {
  const list = new BlockList();
  const { v4, v6 } = subnets[network];
  for (const [address, prefix] of v6) list.addSubnet(address, prefix, 'ipv6');
  for (const [address, prefix] of v4) {
    list.addSubnet(address, prefix, 'ipv4');
    for (const form of embeddings) list.addSubnet(form + address, 96 + prefix, 'ipv6');
    list.addSubnet(sixToFour(address), 16 + prefix, 'ipv6');
  }
  return { network, list };
});

/** Returns the IPv4 address of a 6to4 address, which follows 2002 (RFC 3056). */
function sixToFour(address: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number);
  return `2002:${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}::`;
}

/** @param address as lookups and sockets report it, perhaps with the zone of an interface */
export function networkOfAddress(address: string): Network {
  // BlockList does not recognise an address with a zone, and finds it in no list.
  const [plain = ''] = address.split('%');
  const family = isIP(plain) === 6 ? 'ipv6' : 'ipv4';
  return lists.find(({ list }) => list.check(plain, family))?.network ?? 'public';
}

/** Domains without public names: RFC 6761, RFC 6762, the one that ICANN reserved, and those of clusters. */
const privateDomains = /(?:^|\.)(?:internal|local|localdomain|home\.arpa|svc|test)$/;

/** Returns the network that the host of a URL shows by itself; undefined where a lookup is needed. */
export function networkOfHost(hostname: string): Network | undefined {
  const host = hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
  if (isIP(host) !== 0) return networkOfAddress(host);
  if (/(?:^|\.)localhost$/.test(host)) return 'loopback';
  return !host.includes('.') || privateDomains.test(host) ? 'private' : undefined;
}

/** Whether a response from one network may lead to another one, which must not be more internal. */
export function mayLead(from: Network, to: Network): boolean {
  return from === to || depth[to] < depth[from];
}
