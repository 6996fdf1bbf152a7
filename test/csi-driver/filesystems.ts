import { mkdtemp, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './command.ts';
import { growLoopDevice } from './loop-devices.ts';
import { mountAt, mountImage, unmount } from './mounts.ts';
import type { ContentFormat } from './records.ts';

const MEBIBYTE = 1024 ** 2;

/** The formats that are a filesystem in a sparse file. */
type FilesystemFormat = Exclude<ContentFormat, 'directory' | 'device-image'>;

/** What differs between filesystems in files. Sizes are in bytes. */
interface Filesystem {
  /** As mount(8) calls it. */
  readonly type: string;
  readonly mountOptions: readonly string[];
  /** The smallest volume. */
  readonly smallest: number;
  /** The size of the file of a volume. */
  imageBytes(capacity: number): number;
  /** Makes the filesystem in a file of that size. */
  make(image: string, capacity: number): Promise<void>;
  /** Lets a filesystem that is mounted nowhere fill its file, where a mounted one does not grow. */
  growUnmounted(image: string): Promise<void>;
  /** Makes a copy's filesystem one that can be mounted beside that of which it is a copy. */
  setApart(image: string): Promise<void>;
  /** Lets a mounted filesystem fill its device, which may have grown. */
  grow(mountPoint: string, device: string, capacity: number): Promise<void>;
}

const asItIs = async (): Promise<void> => undefined;

/** How each of them is made, mounted and grown. */
export const filesystems: Readonly<Record<FilesystemFormat, Filesystem>> = {
  'filesystem-image': {
    type: 'xfs',
    // A copy has the identifier of what it was copied from.
    mountOptions: ['nouuid'],
    smallest: 32 * MEBIBYTE,
    imageBytes: (capacity) => capacity,
    // Without --unsupported it refuses small filesystems, and takes 64 MiB for the log of larger ones.
    make: async (image) => {
      await run('mkfs.xfs', '-q', '-K', '--unsupported', '-m', 'reflink=0', '-l', 'size=8m', image);
    },
    growUnmounted: asItIs,
    setApart: asItIs,
    grow: async (mountPoint) => {
      await run('xfs_growfs', mountPoint);
    },
  },
  'ext4-image': {
    type: 'ext4',
    mountOptions: [],
    smallest: 8 * MEBIBYTE,
    imageBytes: (capacity) => capacity,
    // As the kubelet does.
    make: async (image) => {
      await run('mkfs.ext4', '-q', '-F', '-m', '0', image);
    },
    // A mounted one grows only for processes with CAP_SYS_RESOURCE, which not every machine gives.
    growUnmounted: async (image) => {
      await run('sh', '-c', 'e2fsck -f -p "$0" || [ $? -eq 1 ]', image);
      await run('resize2fs', image);
    },
    setApart: asItIs,
    grow: async (_, device) => {
      await run('resize2fs', device);
    },
  },
  'quota-image': {
    type: 'btrfs',
    mountOptions: [],
    smallest: 8 * MEBIBYTE,
    // Far more than the quota: what is free is no measure of what may be written.
    imageBytes: (capacity) => 2 * capacity + 256 * MEBIBYTE,
    make: async (image, capacity) => {
      await run('mkfs.btrfs', '-q', '--nodiscard', '--metadata', 'single', '--data', 'single', image);
      const mountPoint = await mkdtemp(join(tmpdir(), 'csi-driver-'));
      await mountImage(image, mountPoint, 'btrfs', []);
      try {
        await run('btrfs', 'quota', 'enable', mountPoint);
        await limitTo(mountPoint, capacity);
      } finally {
        await unmount(mountPoint);
        await rmdir(mountPoint);
      }
    },
    growUnmounted: asItIs,
    setApart: async (image) => {
      await run('btrfstune', '-f', '-u', image);
    },
    grow: async (mountPoint, _, capacity) => {
      await run('btrfs', 'filesystem', 'resize', 'max', mountPoint);
      await limitTo(mountPoint, capacity);
    },
  },
};

/** The filesystem that a format keeps in a file; undefined for other formats. */
export function filesystemOf(format: ContentFormat): Filesystem | undefined {
  return (filesystems as Partial<Record<ContentFormat, Filesystem>>)[format];
}

/** Lets the filesystem that is mounted there fill its image file, which may have grown. */
export async function growFilesystem(filesystem: Filesystem, mountPoint: string, capacity: number): Promise<void> {
  const mount = await mountAt(mountPoint);
  if (mount) {
    await growLoopDevice(mount.source);
    await filesystem.grow(mountPoint, mount.source, capacity);
  }
}

async function limitTo(mountPoint: string, bytes: number): Promise<void> {
  await run('btrfs', 'qgroup', 'limit', String(bytes), mountPoint);
}
