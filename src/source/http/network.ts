import { BlockList, isIP } from 'node:net';

/** What kind of network an address belongs to, from the outermost to the innermost. */
export type Network = 'public' | 'private' | 'loopback' | 'link-local';

/** How far inside each is. Neither of the innermost leads to the other. */
const depth: Readonly<Record<Network, number>> = { public: 0, private: 1, loopback: 2, 'link-local': 2 };

type Subnet = readonly [address: string, prefix: number];

/** IANA's registries of special-purpose addresses, and where clouds have their metadata outside of link-local ones. */
const subnets: Readonly<Record<Exclude<Network, 'public'>, { v4: readonly Subnet[]; v6: readonly Subnet[] }>> = {
  'link-local': {
    // Beside RFC 3927's: the metadata of Alibaba, Azure and Oracle.
    v4: [
      ['169.254.0.0', 16],
      ['100.100.100.200', 32],
      ['168.63.129.16', 32],
      ['192.0.0.192', 32],
    ],
    // Beside RFC 4291's: the metadata of Amazon and Google.
    v6: [
      ['fe80::', 10],
      ['fd00:ec2::', 32],
      ['fd20:ce::', 32],
    ],
  },
  loopback: {
    // Linux takes "this host" for loopback.
    v4: [
      ['127.0.0.0', 8],
      ['0.0.0.0', 8],
    ],
    v6: [['::', 127]],
  },
  private: {
    // RFC 1918, RFC 6598, and what is not routed between networks: protocol assignments, benchmarks, multicast, reserved.
    v4: [
      ['10.0.0.0', 8],
      ['172.16.0.0', 12],
      ['192.168.0.0', 16],
      ['100.64.0.0', 10],
      ['192.0.0.0', 24],
      ['198.18.0.0', 15],
      ['224.0.0.0', 3],
    ],
    // RFC 4193, the former site-local ones, multicast, and NAT64's prefix for local use.
    v6: [
      ['fc00::', 7],
      ['fec0::', 10],
      ['ff00::', 8],
      ['64:ff9b:1::', 48],
    ],
  },
};

/** Forms of IPv6 that lead to IPv4, besides the mapped one, which BlockList knows: compatible, translated (SIIT), NAT64 of both kinds. */
const embeddings = ['::', '::ffff:0:', '64:ff9b::', '64:ff9b:1::'];

/** From the innermost to the outermost. */
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

/** RFC 3056: 2002, and the address behind it. */
function sixToFour(address: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number);
  return `2002:${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}::`;
}

/** @param address as lookups and sockets tell it, perhaps with the zone of an interface */
export function networkOfAddress(address: string): Network {
  // With a zone, BlockList takes an address for none and finds it in no list.
  const [plain = ''] = address.split('%');
  const family = isIP(plain) === 6 ? 'ipv6' : 'ipv4';
  return lists.find(({ list }) => list.check(plain, family))?.network ?? 'public';
}

/** Domains that are nobody's in public: RFC 6761, RFC 6762, the one that ICANN set aside, and those of clusters. */
const privateDomains = /(?:^|\.)(?:internal|local|localdomain|home\.arpa|svc|test)$/;

/** What the host of a URL tells by itself; undefined where only a lookup would. */
export function networkOfHost(hostname: string): Network | undefined {
  const host = hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
  if (isIP(host) !== 0) return networkOfAddress(host);
  if (/(?:^|\.)localhost$/.test(host)) return 'loopback';
  return !host.includes('.') || privateDomains.test(host) ? 'private' : undefined;
}

/** Whether an answer from one network may lead to another: not further inside than it came from. */
export function mayLead(from: Network, to: Network): boolean {
  return from === to || depth[to] < depth[from];
}
