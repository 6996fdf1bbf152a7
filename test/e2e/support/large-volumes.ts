import type { ObjectKey } from '../../../src/kube/key.ts';
import type { Environment } from '../../support/environment.ts';
import { makeClaim, runInVolume, type VolumeOptions } from './volumes.ts';

const MEBIBYTE = 2 ** 20;

/** Bytes of data in each of the volumes below, which is far from all that they could hold. */
export const LARGE_DATA = 320 * MEBIBYTE;
const LARGE_DISK = 768 * MEBIBYTE;
const STRIPES = 10;
const SMALL_FILES = 400;

/** What a volume holds: a disk, or a tree of files. */
export type LargeContent = 'disk' | 'tree';

const header = `
import { createCipheriv } from 'node:crypto';
import { linkSync, mkdirSync, openSync, symlinkSync, truncateSync, writeFileSync, writeSync, fsyncSync } from 'node:fs';
const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, 5), Buffer.alloc(16));
const zeros = Buffer.alloc(${LARGE_DATA / STRIPES});`;

/** Stripes of data that nothing compresses, and holes between them. */
const writeDisk = (path: string) => `${header}
const disk = openSync('${path}', 'a+') && openSync('${path}', 'r+');
${path.startsWith('/dev/') ? '' : `truncateSync('${path}', ${LARGE_DISK});`}
for (let stripe = 0; stripe < ${STRIPES}; stripe++) {
  writeSync(disk, cipher.update(zeros), 0, zeros.length, stripe * ${Math.floor(LARGE_DISK / STRIPES / MEBIBYTE)} * ${MEBIBYTE});
}
fsyncSync(disk);`;

const writeTree = `${header}
mkdirSync('/volume/odd names');
for (let stripe = 0; stripe < ${STRIPES}; stripe++) {
  const data = cipher.update(zeros);
  const length = data.length / 4;
  for (let part = 0; part < 4; part++) writeFileSync('/volume/file-' + stripe + '-' + part, data.subarray(part * length, (part + 1) * length));
}
for (let n = 0; n < ${SMALL_FILES}; n++) writeFileSync('/volume/odd names/ \\u00e4 ' + n + '\\n', 'small ' + n);
linkSync('/volume/file-0-0', '/volume/hard-link');
symlinkSync('file-0-0', '/volume/symbolic-link');
writeFileSync('/volume/sparse', 'end');
truncateSync('/volume/sparse', ${LARGE_DISK});`;

const diskSum = (path: string) => `head -c ${LARGE_DISK} ${path} | sha256sum`;
/** Of names, kinds, modes, links, sizes and contents. */
const treeSum = `cd /volume; ( find . -mindepth 1 ! -name lost+found -printf '%P %y %m %l %n\\0' | sort -z; find . -type f -printf '%P %s\\0' | sort -z
  find . -type f -print0 | sort -z | xargs -0 sha256sum ) | sha256sum`;

/** Makes a volume with {@link LARGE_DATA} bytes of data in it. */
export async function makeLargeVolume(
  environment: Environment,
  key: ObjectKey,
  content: LargeContent,
  options: Omit<VolumeOptions, 'size'>,
): Promise<void> {
  const annotations = { 'cdi.kubevirt.io/storage.contentType': content === 'tree' ? 'archive' : 'kubevirt' };
  await makeClaim(environment, key, { ...options, size: '800Mi', annotations });
  const { volumeMode } = options;
  const program = content === 'tree' ? writeTree : writeDisk(pathOf(volumeMode));
  const text = `cat > /tmp/write.mjs <<'END'\n${program}\nEND\nnode /tmp/write.mjs`;
  await runInVolume(environment, key, { text, volumeMode, writable: true });
}

/** A checksum of all that {@link makeLargeVolume} has written, wherever it is now. */
export async function sumOfLargeVolume(
  environment: Environment,
  key: ObjectKey,
  content: LargeContent,
  volumeMode?: 'Filesystem' | 'Block',
): Promise<string> {
  return runInVolume(environment, key, {
    text: content === 'tree' ? treeSum : diskSum(pathOf(volumeMode)),
    volumeMode,
  });
}

function pathOf(volumeMode: 'Filesystem' | 'Block' | undefined): string {
  return volumeMode === 'Block' ? '/dev/volume' : '/volume/disk.img';
}
