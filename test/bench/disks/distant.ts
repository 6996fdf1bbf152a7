import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { argv } from 'node:process';

/**
 * A TCP proxy that is far away: node distant.ts PORT MILLISECONDS. Each byte arrives half of these milliseconds
 * late, so that a round trip takes all of them, and a connection two before its first byte arrives. It tells its port.
 *
 * A connection has at most as many bytes on the way as Linux buffers to be sent; otherwise the link is as fast as the
 * machine, without TCP's slow start.
 */
const MOST_ON_THE_WAY = 4 * 1024 * 1024;
const [port, roundTrip] = argv.slice(2).map(Number) as [number, number];

/** Passes on what one side sends, late. */
function pass(from: Socket, to: Socket, delay: number): void {
  let onTheWay = 0;
  from.on('data', (chunk) => {
    onTheWay += chunk.length;
    // What has arrived makes room once that is known, which takes as long again.
    if (onTheWay >= MOST_ON_THE_WAY) from.pause();
    setTimeout(() => {
      if (to.destroyed) return;
      to.write(chunk, () =>
        setTimeout(() => {
          onTheWay -= chunk.length;
          if (onTheWay < MOST_ON_THE_WAY) from.resume();
        }, delay),
      );
    }, delay);
  });
  from.on('end', () => setTimeout(() => to.end(), delay));
}

const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
  const upstream = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  for (const [one, other] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    one.on('error', () => other.destroy());
    one.on('close', () => setTimeout(() => other.destroy(), roundTrip));
  }
  pass(client, upstream, roundTrip / 2);
  pass(upstream, client, roundTrip / 2);
  // The handshake of TCP is a round trip of its own.
  client.pause();
  setTimeout(() => client.resume(), roundTrip);
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
console.log((server.address() as AddressInfo).port);
