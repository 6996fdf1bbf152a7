import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { constants, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type BlockRange, bytesIn, endOf } from '../../base/block-range.ts';
import { deviceSize } from '../../base/device-size.ts';
import { systemCode, TransferError } from '../../base/errors.ts';
import { LOST_AND_FOUND } from '../../base/lost-and-found.ts';
import { CAUTIOUSLY } from '../../base/planted-files.ts';
import type { Progress } from '../../base/progress.ts';
import { type Allocation, bytesOfRanges, mapOfAllocated, rangesToRead } from './allocated-disk.ts';
import { listMissing, type MissingMembers } from './arrived-files.ts';
import { checksOf, mapOf, rangesToSend } from './changed-disk.ts';
import type { CloneStream } from './copy-client.ts';
import type { CloneOffer, TargetState } from './copy-protocol.ts';
import { readDisk } from './disk-reader.ts';
import { diskUsage } from './disk-usage.ts';
import { type DiskExtent, encodeExtents } from './extent-stream.ts';
import { archiveTree } from './tree-archive.ts';

/** A volume to be cloned. */
export type CloneSourceVolume =
  | {
      volumeMode: 'Block';
      path: string;
      /** What has changed since the target's base was copied; undefined where the whole disk is sent. */
      changed?: readonly BlockRange[] | undefined;
      /** What the driver says is allocated; undefined where everything is read. */
      allocation?: Allocation | undefined;
    }
  | {
      volumeMode: 'Filesystem';
      directory: string;
      /** Name of the disk image at the root of the volume, where there is one. */
      diskImage?: string;
    };

/** Content that can be sent, repeatedly if necessary. */
export interface CloneContent {
  offer: CloneOffer;
  open(progress: Progress, signal?: AbortSignal): CloneStream;
}

/** The target of a clone. */
export interface CloneDestination extends TargetState {
  /** Identifies one clone: all attempts at it share this value, and no other clone does. */
  transfer: string;
  /** Requests the list of the files of a tree that have arrived. */
  arrivedFiles: () => Promise<Buffer>;
}

/** A disk image or device, with what shows whether it has changed. */
interface Disk {
  path: string;
  /** Size in bytes. */
  size: number;
  version: string;
}

/**
 * Chooses how a volume is sent to a target of the given mode, and leaves out what has arrived there. A volume that
 * holds only a disk is sent as a disk; any other is sent to a Filesystem volume as an archive of its tree.
 *
 * @throws TransferError UnsupportedClone, DiskNotFound, SourceNotReadable
 */
export async function prepareContent(source: CloneSourceVolume, target: CloneDestination): Promise<CloneContent> {
  if (source.volumeMode === 'Block') {
    const disk = await measureDisk(source.path);
    const changed = source.changed && changedContent(disk, source.changed, target);
    if (changed || !source.allocation) return changed ?? diskContent(disk, target);
    const ranges = await rangesToRead(disk.path, disk.size, source.allocation);
    return ranges ? allocatedContent(disk, ranges, target) : diskContent(disk, target, 'wrong');
  }
  const { directory, diskImage } = source;
  const diskPath = diskImage === undefined ? undefined : join(directory, diskImage);
  const disk = diskPath === undefined ? undefined : await measureDisk(diskPath).catch(unlessNotFound);
  if (target.volumeMode === 'Filesystem') {
    return disk && (await holdsOnly(directory, diskImage))
      ? diskContent(disk, target)
      : treeContent(directory, disk?.size, target);
  }
  if (disk) return diskContent(disk, target);
  if (diskImage === undefined) {
    throw new TransferError(
      'UnsupportedClone',
      'a tree of files cannot be copied to a Block volume: use volumeMode Filesystem',
    );
  }
  throw new TransferError(
    'DiskNotFound',
    `the source volume holds no ${diskImage}, so there is no disk for a Block volume: copy it to a Filesystem one, with contentType archive`,
  );
}

function diskContent(
  disk: Disk,
  { transfer, arrived }: CloneDestination,
  allocation?: CloneOffer['allocation'],
): CloneContent {
  const { path, size, version } = disk;
  // What came by a list that is wrong is not resumed.
  const contentId = identify(transfer, allocation === 'wrong' ? 'whole disk' : 'disk', version);
  const from = arrived?.contentId === contentId ? arrived.from : 0;
  return {
    offer: {
      contentType: 'blockdevice-clone',
      contentId,
      ...(from > 0 && { from }),
      virtualSize: size,
      bytesTotal: size,
      ...(allocation && { allocation }),
    },
    open: (progress) => {
      progress.read(from);
      const { extents } = readDisk(path, { from, size });
      return encodeExtents({ size, extents: unchanged(disk, counted(extents, progress)) });
    },
  };
}

/** Returns a disk of which only ranges are read. What has arrived of it is the same as if all of it had been read. */
function allocatedContent(
  disk: Disk,
  ranges: readonly BlockRange[],
  { transfer, arrived }: CloneDestination,
): CloneContent {
  const { path, size, version } = disk;
  const contentId = identify(transfer, 'disk', version);
  const from = arrived?.contentId === contentId ? arrived.from : 0;
  return {
    offer: {
      contentType: 'blockdevice-clone',
      contentId,
      ...(from > 0 && { from }),
      virtualSize: size,
      bytesTotal: bytesIn(ranges),
      allocation: 'used',
    },
    open: (progress) => {
      const bytesBetween = bytesOfRanges(ranges);
      progress.read(bytesBetween(0, from));
      const { extents } = readDisk(path, { from, size }, mapOfAllocated(ranges));
      return encodeExtents({ size, extents: unchanged(disk, counted(extents, progress, bytesBetween)) });
    },
  };
}

/**
 * Returns the changed part of a disk; undefined where the target has no base any more, or has begun to get the whole
 * disk.
 */
function changedContent(
  disk: Disk,
  changed: readonly BlockRange[],
  { transfer, arrived, holdsBase }: CloneDestination,
): CloneContent | undefined {
  const { size, version } = disk;
  if (!holdsBase || arrived?.contentId === identify(transfer, 'disk', version)) return undefined;
  const sent = rangesToSend(changed, size);
  const contentId = identify(transfer, 'changed', version, JSON.stringify(sent));
  const from = arrived?.contentId === contentId ? arrived.from : 0;
  return {
    offer: {
      contentType: 'blockdevice-clone',
      contentId,
      ...(from > 0 && { from }),
      virtualSize: size,
      bytesTotal: size,
    },
    open: (progress) => sendChanged(disk, sent, from, progress),
  };
}

async function* sendChanged(
  disk: Disk,
  sent: readonly BlockRange[],
  from: number,
  progress: Progress,
): AsyncGenerator<Buffer> {
  const { path, size } = disk;
  progress.read(from);
  const checks = await checksOf(path, sent, size);
  const { extents } = readDisk(path, { from, size }, mapOf(sent));
  yield* encodeExtents({ size, checks, extents: unchanged(disk, counted(extents, progress)) });
}

/**
 * Passes extents on, and verifies at the end that the disk has not changed since the first one.
 *
 * @throws TransferError SourceChanged after the last extent
 */
async function* unchanged(disk: Disk, extents: AsyncIterable<DiskExtent>): AsyncGenerator<DiskExtent> {
  yield* extents;
  if ((await measureDisk(disk.path)).version === disk.version) return;
  throw new TransferError('SourceChanged', `${disk.path} was written while it was read`);
}

async function* counted(
  extents: AsyncIterable<DiskExtent>,
  progress: Progress,
  bytesBetween = (from: number, end: number) => end - from,
): AsyncGenerator<DiskExtent> {
  for await (const extent of extents) {
    yield extent;
    progress.read(bytesBetween(extent.offset, endOf(extent)));
    if (extent.data) progress.wrote(extent.length);
  }
}

async function treeContent(
  directory: string,
  virtualSize: number | undefined,
  { transfer, arrived, arrivedFiles }: CloneDestination,
): Promise<CloneContent> {
  const contentId = identify(transfer, 'tree');
  const bytesTotal = await diskUsage(directory);
  const missing = arrived?.contentId === contentId ? await listMissing(directory, await arrivedFiles()) : undefined;
  return {
    offer: {
      contentType: 'filesystem-clone',
      contentId,
      ...(missing && { from: missing.arrivedBytes }),
      ...(virtualSize !== undefined && { virtualSize }),
      ...(bytesTotal !== undefined && { bytesTotal }),
    },
    open: (progress, signal) => sendTree(directory, missing, progress, signal),
  };
}

async function* sendTree(
  directory: string,
  missing: MissingMembers | undefined,
  progress: Progress,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer> {
  if (missing) {
    progress.note('leaving out', { files: missing.arrivedFiles, bytes: missing.arrivedBytes });
    progress.read(missing.arrivedBytes);
  }
  for await (const piece of archiveTree(directory, missing?.paths, signal)) {
    yield piece;
    progress.read(piece.length);
    progress.wrote(piece.length);
  }
}

function identify(...parts: string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** Measures the disk in a file or on a device. Links are not followed, because they may lead out of the volume. */
async function measureDisk(path: string): Promise<Disk> {
  try {
    const file = await open(path, constants.O_RDONLY | CAUTIOUSLY);
    try {
      const stats = await file.stat({ bigint: true });
      // Writes to a device leave no trace that could be checked.
      if (stats.isBlockDevice()) {
        const size = await deviceSize(file);
        return { path, size, version: String(size) };
      }
      if (stats.isFile()) return { path, size: Number(stats.size), version: fileVersion(stats) };
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new TransferError('SourceNotReadable', `${path} cannot be read: ${systemCode(error) ?? String(error)}`, {
      cause: error,
    });
  }
  throw new TransferError('SourceNotReadable', `${path} is neither a file nor a block device`);
}

function fileVersion({ ino, size, mtimeNs }: BigIntStats): string {
  return [ino, size, mtimeNs].join(' ');
}

function unlessNotFound(error: unknown): undefined {
  if (systemCode((error as Error).cause) === 'ENOENT') return undefined;
  throw error;
}

async function holdsOnly(directory: string, name: string | undefined): Promise<boolean> {
  const names = await readdir(directory);
  return names.every((found) => found === name || found === LOST_AND_FOUND);
}
