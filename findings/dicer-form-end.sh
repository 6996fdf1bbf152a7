#!/bin/sh
# Expected of @fastify/busboy: its parser of multipart messages, Dicer, is a Writable. A request that is piped into it ends when all of it was read, so
# `await finished(request)` of node:stream/promises returns; what follows the last boundary (RFC 2046 calls it the epilogue, and has it ignored) is ignored.
# Seen with 3.2.6 and Node 24.21.0: Dicer emits 'finish' at the last boundary, before anybody has called end(). Node's pipe takes that for the end of the
# destination: it unpipes, and pauses the source, whose last bytes, or mere end, are never read. So the request never emits 'end', and `finished` waits for ever,
# for every form that curl sends, although all parts have come. Resuming the source on 'finish' is too early, as the pipe's own listener comes after it and pauses again.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund @fastify/busboy@3.2.6 node@24.21.0 > npm.log 2>&1 || { cat npm.log; exit 2; }
cat > finding.mjs <<'JS'
import { deepEqual } from 'node:assert/strict';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import busboy from '@fastify/busboy';

/** A form as a network brings it: its end comes later than its last byte. */
async function* form() {
  yield Buffer.from('--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nimage\r\n--b--\r\n');
  await sleep(50);
}

async function parse(afterFinish) {
  const source = Readable.from(form(), { objectMode: false });
  const parser = new busboy.Dicer({ boundary: 'b' });
  const seen = [];
  parser.on('part', (part) => part.on('end', () => seen.push('part ended')).resume());
  parser.on('finish', () => {
    seen.push('parser finished');
    afterFinish(source);
  });
  finished(source).then(() => seen.push('source ended'));
  source.pipe(parser);
  await sleep(500);
  return seen;
}

const results = {
  untouched: await parse(() => undefined),
  'resumed on finish': await parse((source) => source.resume()),
  'resumed after it': await parse((source) => queueMicrotask(() => source.resume())),
};
console.log(results);
deepEqual(results.untouched, ['part ended', 'parser finished']);
deepEqual(results['resumed on finish'], ['part ended', 'parser finished']);
deepEqual(results['resumed after it'], ['part ended', 'parser finished', 'source ended']);
JS
npx node finding.mjs
