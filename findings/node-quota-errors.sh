#!/bin/sh
# Expected of Node: an error of the file system has the name of its errno in `code`, as documentation and everybody's `case 'ENOSPC':` have it; so a
# write that a quota refuses (on btrfs, XFS, ext4, NFS) has the code EDQUOT, the more so as os.constants.errno has EDQUOT.
# Seen with Node 24.21.0: libuv has no name for it. The error's code is the text "Unknown system error -122", and so is its message; only `errno` tells.
# Code that looks for EDQUOT beside ENOSPC never finds it, and takes a full quota for a failure that nobody knows.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund node@24.21.0 > npm.log 2>&1 || { cat npm.log; exit 2; }
cat > finding.mjs <<'JS'
import { deepEqual, match } from 'node:assert/strict';
import { constants } from 'node:os';
import { getSystemErrorMap, getSystemErrorName } from 'node:util';

const named = (name) => getSystemErrorName(-constants.errno[name]);
const seen = { ENOSPC: named('ENOSPC'), EFBIG: named('EFBIG'), EDQUOT: named('EDQUOT') };
console.log('what errors of the file system have as their code:', seen);
deepEqual([seen.ENOSPC, seen.EFBIG], ['ENOSPC', 'EFBIG']);
match(seen.EDQUOT, /^Unknown system error -\d+$/);
deepEqual(getSystemErrorMap().has(-constants.errno.EDQUOT), false);
JS
npx node finding.mjs
