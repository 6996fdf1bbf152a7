#!/bin/sh
# Expected of undici: a request of a handler that is aborted when its turn comes, in onRequestStart, before a byte of it has been sent, costs nothing; the
# connection that became free for it goes to the next request in the queue.
# Seen with undici 8.12.4: controller.abort() there closes the connection, though it is between two requests, and the next request opens another. Who aborts
# what has waited too long, so that a server that was away is not flooded when it is back, has it do a handshake for each request that is not made. An error
# that is thrown in onRequestStart ends the request just as well, and leaves the connection.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund node@24.21.0 undici@8.12.4 > npm.log 2>&1 || { cat npm.log; exit 2; }
cat > finding.mjs <<'JS'
import { deepEqual } from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { Agent } from 'undici';

/** Three requests over one connection, of which the second is given up by `giveUp` when its turn comes. */
async function connectionsWhere(giveUp) {
  let connections = 0;
  let asked = 0;
  const server = createServer((_, response) => {
    asked += 1;
    response.end('{}');
  }).listen(0, '127.0.0.1');
  server.on('connection', () => (connections += 1));
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${server.address().port}`;
  const agent = new Agent({ connections: 1, pipelining: 1 });
  const request = (onRequestStart) =>
    new Promise((resolve) => {
      agent.dispatch(
        { origin, path: '/', method: 'GET' },
        {
          onRequestStart,
          onResponseStart: () => undefined,
          onResponseData: () => undefined,
          onResponseEnd: () => resolve('answered'),
          onResponseError: () => resolve('given up'),
        },
      );
    });
  const outcomes = await Promise.all([request(() => undefined), request(giveUp), request(() => undefined)]);
  await agent.destroy();
  server.close();
  return { connections, asked, outcomes: outcomes.join(', ') };
}

const seen = {
  aborted: await connectionsWhere((controller) => controller.abort(new Error('too late'))),
  thrown: await connectionsWhere(() => {
    throw new Error('too late');
  }),
};
console.log(seen);
const outcomes = 'answered, given up, answered';
deepEqual(seen.aborted, { connections: 2, asked: 2, outcomes });
deepEqual(seen.thrown, { connections: 1, asked: 2, outcomes });
JS
npx node finding.mjs
