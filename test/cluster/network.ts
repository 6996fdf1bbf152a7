/** Addresses of one cluster. All are in one /16 of its own, so that clusters can live beside each other. */
export interface Network {
  /** The second byte of every address: 10.<block>.x.y. */
  block: number;
  podRange: string;
  serviceRange: string;
  apiService: string;
  dnsService: string;
  /** The host's address as nodes and pods see it. */
  hostAddress: string;
  /** Name of the host's network interface to the cluster. */
  hostInterface: string;
}

export interface NodeNetwork {
  address: string;
  podRange: string;
}

export function networkOf(block: number): Network {
  return {
    block,
    podRange: `10.${block}.0.0/17`,
    serviceRange: `10.${block}.128.0/18`,
    apiService: `10.${block}.128.1`,
    dnsService: `10.${block}.128.10`,
    hostAddress: `10.${block}.255.254`,
    hostInterface: `diskpress${block}`,
  };
}

/** @param index counts from 1. */
export function nodeNetworkOf(network: Network, index: number): NodeNetwork {
  return { address: `10.${network.block}.255.${index}`, podRange: `10.${network.block}.${index}.0/24` };
}

/** The first block whose addresses none of the given routes of the host reaches. */
export function freeBlock(routes: string[], taken: number[]): number {
  for (let block = 244; block > 100; block--) {
    if (!taken.includes(block) && !routes.some((route) => meets(route, block))) {
      return block;
    }
  }
  throw new Error('every block 10.101.0.0/16 to 10.244.0.0/16 is in use on this machine');
}

/** Whether a route lies in 10.<block>.0.0/16. Wider ones, such as a default route, give way to the cluster's own. */
function meets(route: string, block: number): boolean {
  const [address = '', length = '32'] = route.split('/');
  return Number(length) >= 16 && address.startsWith(`10.${block}.`);
}
