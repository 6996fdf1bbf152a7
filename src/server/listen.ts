import { once } from 'node:events';
import type { Server } from 'node:http';
import type { ListenOptions } from 'node:net';

/**
 * Makes a server listen on a port, 0 for any free one, or on a Unix socket.
 *
 * @returns the port; 0 for a socket
 * @throws Error where the address is in use
 */
export async function listen(server: Server, at: Pick<ListenOptions, 'port' | 'host' | 'path'>): Promise<number> {
  const listening = once(server, 'listening');
  server.listen(at);
  await listening;
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}

/**
 * Stops a server from accepting connections, and closes the existing ones.
 *
 * @param settle awaited before the existing connections are closed
 */
export async function closeWithConnections(server: Server, settle?: () => Promise<void>): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  await settle?.();
  server.closeAllConnections();
  await closed;
}
