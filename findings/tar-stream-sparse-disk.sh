#!/bin/sh
# Expected of tar-stream: a disk image that GNU tar packed with --sparse is unpacked as it was, or, as the library knows nothing of sparse members,
# refused; at least nothing that looks like the whole file.
# Seen with tar-stream 3.2.2 and GNU tar's three ways to write one: no error, and only what lies between the holes, moved to the front. Of a disk of
# 1 MiB come 4096 bytes, with what stood in its middle at their start; with format 1.0 the map of the holes stands before them as if it were the disk's
# own first sector, and with both pax formats the member is an ordinary file of another name (a folder GNUSparseFile.PID is put in). Python's
# tarfile gives the disk each time.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund tar-stream@3.2.2 > npm.log 2>&1 || { cat npm.log; exit 2; }
truncate -s 1M disk.img
printf partition | dd of=disk.img bs=1 seek=524288 conv=notrunc status=none
tar --sparse --format=gnu -cf gnu.tar disk.img
tar --sparse --format=posix --sparse-version=0.1 -cf pax-0.1.tar disk.img
tar --sparse --format=posix --sparse-version=1.0 -cf pax-1.0.tar disk.img
cat > finding.mjs <<'JS'
import { deepEqual } from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { extract } from 'tar-stream';

const seen = {};
for (const format of ['gnu', 'pax-0.1', 'pax-1.0']) {
  const archive = extract();
  createReadStream(`${format}.tar`).pipe(archive);
  for await (const entry of archive) {
    const content = await buffer(entry);
    const name = entry.header.name.replace(/\.\d+\//, '.PID/');
    seen[format] = { name, type: entry.header.type, size: content.length, found: content.indexOf('partition') };
  }
}
console.log(seen);
deepEqual(seen, {
  gnu: { name: 'disk.img', type: null, size: 4096, found: 0 },
  'pax-0.1': { name: './GNUSparseFile.PID/disk.img', type: 'file', size: 4096, found: 0 },
  'pax-1.0': { name: './GNUSparseFile.PID/disk.img', type: 'file', size: 4608, found: 512 },
});
JS
node finding.mjs
python3 - <<'PYTHON'
import tarfile
for name in ("gnu", "pax-0.1", "pax-1.0"):
    with tarfile.open(f"{name}.tar") as archive:
        content = archive.extractfile("disk.img").read()
        assert len(content) == 1 << 20 and content.index(b"partition") == 524288, name
print("tarfile: 1 MiB each, as it was packed")
PYTHON
