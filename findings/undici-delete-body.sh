#!/bin/sh
# Expected of undici: an Agent of one connection, with keep-alive, sends one DELETE with options in its body after the other over that connection, as it does
# with POST and PATCH. The API server of Kubernetes takes DeleteOptions, such as preconditions, in the body of a DELETE.
# Seen with undici 8.12.4: after the answer to each DELETE with a body the client closes the connection, without "connection: close" in the request, and the
# next request opens another, with a handshake that takes both ends longer than the request. A DELETE without a body leaves it. `reset: false` in the
# request's options, whose documentation tells of keep-alive only, keeps the connection.
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

const REQUESTS = 5;

/** The connections that so many requests take, one after the other, and what they say of the connection. */
async function connectionsFor(options) {
  let connections = 0;
  const said = new Set();
  const server = createServer((request, response) => {
    said.add(request.headers.connection);
    request.resume().on('end', () => response.end('{}'));
  }).listen(0, '127.0.0.1');
  server.on('connection', () => (connections += 1));
  await once(server, 'listening');
  const agent = new Agent({ connections: 1, pipelining: 1 });
  for (let sent = 0; sent < REQUESTS; sent++) {
    const { body } = await agent.request({ origin: `http://127.0.0.1:${server.address().port}`, path: '/', ...options });
    await body.dump();
  }
  await agent.destroy();
  server.close();
  return { connections, said: [...said].join() };
}

const body = '{"preconditions":{"uid":"c0ffee"}}';
const seen = {
  patch: await connectionsFor({ method: 'PATCH', body }),
  delete: await connectionsFor({ method: 'DELETE' }),
  deleteWithBody: await connectionsFor({ method: 'DELETE', body }),
  deleteWithoutReset: await connectionsFor({ method: 'DELETE', body, reset: false }),
};
console.log(seen);
deepEqual(seen, {
  patch: { connections: 1, said: 'keep-alive' },
  delete: { connections: 1, said: 'keep-alive' },
  deleteWithBody: { connections: REQUESTS, said: 'keep-alive' },
  deleteWithoutReset: { connections: 1, said: 'keep-alive' },
});
JS
npx node finding.mjs
