import type { Stats } from 'node:fs';
import { mkdir, open, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { run, succeeds } from './commands.ts';
import type { Identity } from './identity.ts';
import { attachLoopDevice } from './loop-device.ts';

/** Far more than a test needs: it is sparse, and the host's free space is the real limit. */
const diskBytes = 512 * 2 ** 30;

interface LoopDevice {
  name: string;
  'back-file': string | null;
  'back-maj:min': string | null;
  'back-ino': number | null;
  'maj:min': string;
}

/** Makes the cluster's disk, an XFS file system with reflinks, and returns its block device. */
export async function createDisk(cluster: Identity): Promise<string> {
  await mkdir(mountPoint(cluster), { recursive: true });
  const file = await open(cluster.disk, 'wx', 0o600);
  await file.truncate(diskBytes);
  await file.close();
  await run('mkfs.xfs', ['-q', '-K', '-m', 'reflink=1', cluster.disk]);
  return attachLoopDevice(cluster.disk);
}

/** Where nodes mount the disk, in their own mount namespaces. */
export function mountPoint(cluster: Identity): string {
  return `${cluster.folder}/disk`;
}

/** The block device of an existing cluster's disk. */
export async function diskDevice(cluster: Identity): Promise<string> {
  const device = (await loopDevices()).find(({ 'back-file': file }) => file === cluster.disk);
  if (!device) {
    throw new Error(`the disk of cluster ${cluster.name} is gone: run "down", then "up"`);
  }
  return device.name;
}

/** Detaches every loop device over the cluster's disk and over files in it, in whichever order they let go. */
export async function detachDisk(cluster: Identity): Promise<void> {
  const deadline = Date.now() + 20_000;
  let left = await ownDevices(cluster);
  while (left.length > 0) {
    if (Date.now() > deadline) {
      throw new Error(`still in use: ${left.map(({ name }) => name).join(', ')}`);
    }
    for (const { name } of left) {
      await succeeds('losetup', ['--detach', name]);
    }
    left = await ownDevices(cluster);
    if (left.length > 0) {
      await delay(50);
    }
  }
}

async function loopDevices(): Promise<LoopDevice[]> {
  const text = await run('losetup', ['--json', '--list', '-O', 'NAME,BACK-FILE,BACK-MAJ:MIN,BACK-INO,MAJ:MIN']);
  return text ? (JSON.parse(text) as { loopdevices: LoopDevice[] }).loopdevices : [];
}

/**
 * A node's mounts cannot be seen from here, so files are known by the device they are on, and devices behind another
 * loop device by their inode.
 */
async function ownDevices(cluster: Identity): Promise<LoopDevice[]> {
  const all = await loopDevices();
  const own = new Set(all.filter((device) => device['back-file']?.startsWith(`${cluster.folder}/`)));
  for (let size = -1; size !== own.size;) {
    size = own.size;
    const numbers = new Set([...own].map((device) => device['maj:min'].trim()));
    const nodes = new Set(await Promise.all([...own].map(async ({ name }) => inode(await stat(name)))));
    for (const device of all) {
      const onOwn = numbers.has(device['back-maj:min']?.trim() ?? '');
      const overOwn = nodes.has(`${device['back-maj:min']?.trim()} ${device['back-ino']}`);
      if (onOwn || overOwn) {
        own.add(device);
      }
    }
  }
  return [...own];
}

/** A file's device and inode numbers, as `losetup` prints them. */
function inode({ dev, ino }: Stats): string {
  const major = ((dev >>> 8) & 0xfff) | (Math.floor(dev / 2 ** 32) & ~0xfff);
  const minor = (dev & 0xff) | ((dev >>> 12) & ~0xff);
  return `${major}:${minor} ${ino}`;
}
