#!/bin/sh
# Expected of Node's zstd decompressor: several frames one after the other are one valid stream (RFC 8878, section 3), which `pzstd` and seekable
# images are, and skippable frames in between count for nothing; so all of it comes out, as Node's gunzip does with members, or an error.
# Seen with Node 24.21.0: what comes out depends on how the stream was cut into chunks, and nothing tells. Where a chunk that is written holds the end
# of a frame, the rest of that chunk is dropped: two small frames in one chunk give the first alone, a skippable frame before a frame gives nothing at
# all, and the same bytes in two chunks give everything. fzstd 0.1.1 gives everything each time.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund node@24.21.0 fzstd@0.1.1 > npm.log 2>&1 || { cat npm.log; exit 2; }
cat > finding.mjs <<'JS'
import { deepEqual } from 'node:assert/strict';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { createZstdDecompress, gunzipSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { decompress } from 'fzstd';

const one = zstdCompressSync('one ');
const two = zstdCompressSync('two');
const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4]);
const inNode = (...chunks) => text(Readable.from(chunks).pipe(createZstdDecompress()));
const whole = (...frames) => Buffer.from(decompress(Buffer.concat(frames))).toString();

const seen = {
  'two frames': [whole(one, two), await inNode(Buffer.concat([one, two])), await inNode(one, two)],
  'a skippable frame first': [
    whole(skippable, one),
    await inNode(Buffer.concat([skippable, one])),
    await inNode(skippable, one),
  ],
};
console.log('fzstd, Node with one chunk, Node with a chunk a frame:', seen);
deepEqual(gunzipSync(Buffer.concat([gzipSync('one '), gzipSync('two')])).toString(), 'one two');
deepEqual(seen, {
  'two frames': ['one two', 'one ', 'one two'],
  'a skippable frame first': ['one ', '', 'one '],
});
JS
npx node finding.mjs
