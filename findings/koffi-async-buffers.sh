#!/bin/sh
# Expected of koffi: a Buffer that is given to an asynchronous call of a native function (`function.async(buffer, done)`) is referred to until `done` is called,
# as Node's own asynchronous functions do with theirs (`fs.read`, `zlib.inflate`).
# Seen with koffi 3.3.4: only the callback is kept alive. A Buffer that nothing else refers to is collected while the native function runs on its thread with the
# address of the memory; whoever calls has to refer to it from the callback. Nothing is read or written here: the function ignores the argument.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund koffi@3.3.4 node@24.21.0 > npm.log 2>&1 || { cat npm.log; exit 2; }
cat > finding.cjs <<'JS'
const { strictEqual } = require('node:assert');
const { setTimeout: sleep } = require('node:timers/promises');
const koffi = require('koffi');

const usleep = koffi.load('libc.so.6').func('int usleep(uint32_t microseconds, const void *ignored)');

function callAlone() {
  const memory = Buffer.allocUnsafeSlow(1024 * 1024);
  usleep.async(1_000_000, memory, () => {});
  return new WeakRef(memory.buffer);
}

function callAndRefer() {
  const memory = Buffer.allocUnsafeSlow(1024 * 1024);
  usleep.async(1_000_000, memory, () => memory.length);
  return new WeakRef(memory.buffer);
}

async function isThereInTheMiddle(seen) {
  await sleep(200);
  gc();
  return seen.deref() !== undefined;
}

(async () => {
  const [alone, referred] = [await isThereInTheMiddle(callAlone()), await isThereInTheMiddle(callAndRefer())];
  console.log(`koffi ${koffi.version}, Node ${process.versions.node}, in the middle of the call:`);
  console.log(`memory that only the call was given is ${alone ? 'there' : 'collected'}`);
  console.log(`memory that its callback refers to is ${referred ? 'there' : 'collected'}`);
  strictEqual(alone, false);
  strictEqual(referred, true);
})();
JS
node_modules/.bin/node --expose-gc finding.cjs
