import type { Network } from '../network.ts';

/** All addresses of a host are in networks that this request may not reach. */
export class NetworkRefused extends Error {
  override readonly name = 'NetworkRefused';
  readonly code = 'NETWORK_REFUSED';
  readonly network: Network;

  constructor(network: Network) {
    super(`the host has no address but in networks that may not be reached (${network})`);
    this.network = network;
  }
}
