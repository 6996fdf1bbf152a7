#!/bin/sh
# Expected of koffi: a library that `koffi.load` has loaded stays loaded until its `unload` is called, as a Node addon stays that `require` has loaded; in other
# bindings of dlopen (Python's ctypes, JNA) it stays for as long as the process lives.
# Seen with koffi 3.3.4: once neither the library's object nor one of its functions is referred to, the garbage collector has it unloaded by dlclose. Whoever
# keeps an address within it (what /proc/self/maps said of its pages, a pointer that one of its functions returned) has to keep the object, too.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund koffi@3.3.4 node@24.21.0 > npm.log 2>&1 || { cat npm.log; exit 2; }
cat > finding.cjs <<'JS'
const { strictEqual } = require('node:assert');
const { readFileSync } = require('node:fs');
const { setTimeout: sleep } = require('node:timers/promises');
const koffi = require('koffi');

// Nothing else in the process uses it.
const NAME = 'libutil.so.1';
const isLoaded = () => readFileSync('/proc/self/maps', 'latin1').includes(`/${NAME}`);
const kept = [];

function load(isKept) {
  const library = koffi.load(NAME);
  if (isKept) kept.push(library);
  return isLoaded();
}

async function afterCollection() {
  for (let round = 0; round < 10; round++) {
    await sleep(20);
    gc();
  }
  return isLoaded();
}

(async () => {
  strictEqual(isLoaded(), false);
  const [begun, alone] = [load(false), await afterCollection()];
  const [again, referred] = [load(true), await afterCollection()];
  console.log(`koffi ${koffi.version}, Node ${process.versions.node}, after a garbage collection:`);
  console.log(`a library to which nothing refers is ${alone ? 'there' : 'unloaded'}`);
  console.log(`a library whose object is kept is ${referred ? 'there' : 'unloaded'}`);
  strictEqual(begun && again, true);
  strictEqual(alone, false);
  strictEqual(referred, true);
})();
JS
node_modules/.bin/node --expose-gc finding.cjs
