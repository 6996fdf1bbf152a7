import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type BlockRange, bytesIn, endOf } from '../../base/block-range.ts';
import { systemCode, TransferError } from '../../base/errors.ts';
import { LOST_AND_FOUND } from '../../base/lost-and-found.ts';
import type { Progress } from '../../base/progress.ts';
import { bytesOfRanges, mapOfAllocated, rangesToRead, type ToldRanges, withUnknownEnd } from './allocated-disk.ts';
import { type ArrivedMembers, compareArrived } from './arrived-files.ts';
import { checksOf, mapOf, rangesToSend } from './changed-disk.ts';
import { type CloneOffer, MISMATCHED_BASE, type TargetState } from './copy-protocol.ts';
import { readDisk } from './disk-reader.ts';
import { diskUsage } from './disk-usage.ts';
import { type DiskExtent, type DiskExtents, encodeExtents } from './extent-stream.ts';
import { type Disk, measureDisk } from './measured-disk.ts';
import type { CloneStream } from './send-pieces.ts';
import { archiveTree } from './tree-archive.ts';
import { listMembers, type TreeMember } from './tree-members.ts';

/** A volume to be cloned. */
export type CloneSourceVolume =
  | {
      volumeMode: 'Block';
      path: string;
      /** What has changed since the target's base was copied; undefined where the whole disk is sent. */
      changed?: ToldRanges | undefined;
      /**
       * What the driver says is allocated; undefined where everything is read. `wrong` where that, or what it says has
       * changed, was found to be wrong, so that everything is read, too.
       */
      allocation?: ToldRanges | 'wrong' | undefined;
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
  /** Reads the disk for a target within this process, in place of its stream; missing for a tree. */
  readDisk?(progress: Progress): Promise<DiskExtents>;
}

/** The target of a clone. */
export interface CloneDestination extends TargetState {
  /** Identifies one clone: all attempts at it share this value, and no other clone does. */
  transfer: string;
  /** Requests the list of the files of a tree that have arrived. */
  arrivedFiles: () => Promise<Buffer>;
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
    return changed ?? wholeContent(disk, source.allocation, target);
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

/** Returns a device as a whole, or what is allocated of it. */
async function wholeContent(
  disk: Disk,
  allocation: ToldRanges | 'wrong' | undefined,
  target: CloneDestination,
): Promise<CloneContent> {
  // A list that was found to be wrong once stays so, even if another sample would not show it.
  const whenWrong = [idOfWhole(disk, target), MISMATCHED_BASE];
  if (allocation === 'wrong' || whenWrong.includes(target.arrived?.contentId ?? '')) {
    return diskContent(disk, target, 'wrong');
  }
  if (!allocation) return diskContent(disk, target);
  const ranges = await rangesToRead(disk.path, disk.size, allocation);
  return ranges ? allocatedContent(disk, ranges, target) : diskContent(disk, target, 'wrong');
}

function diskContent(disk: Disk, target: CloneDestination, allocation?: CloneOffer['allocation']): CloneContent {
  const { path, size, version } = disk;
  // What came by a list that is wrong is not resumed.
  const contentId = allocation === 'wrong' ? idOfWhole(disk, target) : identify(target.transfer, 'disk', version);
  const from = arrivedOf(contentId, target);
  return {
    offer: { ...diskOffer(contentId, from, size), ...(allocation && { allocation }) },
    ...sentOrRead(async (progress) => {
      progress.read(from);
      const { extents } = readDisk(path, { from, size });
      return { size, extents: unchanged(disk, counted(extents, progress)) };
    }),
  };
}

function sentOrRead(read: (progress: Progress) => Promise<DiskExtents>): Omit<CloneContent, 'offer'> {
  return { open: (progress) => encoded(read(progress)), readDisk: read };
}

async function* encoded(disk: Promise<DiskExtents>): CloneStream {
  yield* encodeExtents(await disk);
}

/** Returns the offset up to which a disk has arrived, in bytes; 0 where something else has. */
function arrivedOf(contentId: string, { arrived }: CloneDestination): number {
  return arrived?.contentId === contentId ? arrived.from : 0;
}

function diskOffer(contentId: string, from: number, size: number): CloneOffer {
  return {
    contentType: 'blockdevice-clone',
    contentId,
    ...(from > 0 && { from }),
    virtualSize: size,
    bytesTotal: size,
  };
}

/** Identifies a disk of which everything is read, because its driver was wrong about it. */
function idOfWhole({ version }: Disk, { transfer }: CloneDestination): string {
  return identify(transfer, 'whole disk', version);
}

/** Returns a disk of which only ranges are read. What has arrived of it is the same as if all of it had been read. */
function allocatedContent(disk: Disk, ranges: readonly BlockRange[], target: CloneDestination): CloneContent {
  const { path, size, version } = disk;
  const contentId = identify(target.transfer, 'disk', version);
  const from = arrivedOf(contentId, target);
  return {
    offer: { ...diskOffer(contentId, from, size), bytesTotal: bytesIn(ranges), allocation: 'used' },
    ...sentOrRead(async (progress) => {
      const bytesBetween = bytesOfRanges(ranges);
      progress.read(bytesBetween(0, from));
      const { extents } = readDisk(path, { from, size }, mapOfAllocated(ranges));
      return { size, extents: unchanged(disk, counted(extents, progress, bytesBetween)) };
    }),
  };
}

/**
 * Returns the changed part of a disk; undefined where the target has no base any more, or has begun to get anything
 * else, with which parts of its base are lost.
 */
function changedContent(disk: Disk, told: ToldRanges, target: CloneDestination): CloneContent | undefined {
  const { size, version } = disk;
  const changed = withUnknownEnd(told, size);
  if (!target.holdsBase || !changed) return undefined;
  const sent = rangesToSend(changed, size);
  const contentId = identify(target.transfer, 'changed', version, JSON.stringify(sent));
  if (target.arrived && target.arrived.contentId !== contentId) return undefined;
  const from = arrivedOf(contentId, target);
  return {
    offer: diskOffer(contentId, from, size),
    ...sentOrRead((progress) => readChanged(disk, sent, from, progress)),
  };
}

async function readChanged(
  disk: Disk,
  sent: readonly BlockRange[],
  from: number,
  progress: Progress,
): Promise<DiskExtents> {
  const { path, size } = disk;
  progress.read(from);
  const checks = await checksOf(path, sent, size);
  const { extents } = readDisk(path, { from, size }, mapOf(sent));
  return { size, checks, extents: unchanged(disk, counted(extents, progress)) };
}

/**
 * Passes extents on, and verifies at the end that the disk has not changed since the first one.
 *
 * @throws TransferError SourceChanged after the last extent
 */
async function* unchanged(disk: Disk, extents: DiskExtents['extents']): DiskExtents['extents'] {
  yield* extents;
  if ((await measureDisk(disk.path)).version === disk.version) return;
  throw new TransferError('SourceChanged', `${disk.path} was written while it was read`);
}

async function* counted(
  extents: DiskExtents['extents'],
  progress: Progress,
  bytesBetween = (from: number, end: number) => end - from,
): AsyncGenerator<readonly DiskExtent[]> {
  for await (const some of extents) {
    yield some;
    for (const extent of some) {
      progress.read(bytesBetween(extent.offset, endOf(extent)));
      if (extent.data) progress.wrote(extent.length);
    }
  }
}

async function treeContent(
  directory: string,
  virtualSize: number | undefined,
  { transfer, arrived, arrivedFiles }: CloneDestination,
): Promise<CloneContent> {
  const contentId = identify(transfer, 'tree');
  const bytesTotal = await diskUsage(directory);
  const members = arrived?.contentId === contentId ? await compareArrived(directory, await arrivedFiles()) : undefined;
  return {
    offer: {
      contentType: 'filesystem-clone',
      contentId,
      ...(members && { from: members.bytes }),
      ...(virtualSize !== undefined && { virtualSize }),
      ...(bytesTotal !== undefined && { bytesTotal }),
    },
    open: (progress, signal) => sendTree(directory, members, progress, signal),
  };
}

async function* sendTree(
  directory: string,
  arrived: ArrivedMembers | undefined,
  progress: Progress,
  signal: AbortSignal | undefined,
): CloneStream {
  if (arrived) {
    progress.note('leaving out', { files: arrived.files, bytes: arrived.bytes });
    progress.read(arrived.bytes);
  }
  for await (const piece of archiveTree(directory, membersWithout(arrived, directory, signal), signal)) {
    yield [piece];
    progress.read(piece.length);
    progress.wrote(piece.length);
  }
}

async function* membersWithout(
  arrived: ArrivedMembers | undefined,
  directory: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<TreeMember[]> {
  for await (const members of listMembers(directory, signal)) {
    yield arrived ? members.filter((member) => !arrived.has(member)) : members;
  }
}

function identify(...parts: string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

function unlessNotFound(error: unknown): undefined {
  if (systemCode((error as Error).cause) === 'ENOENT') return undefined;
  throw error;
}

async function holdsOnly(directory: string, name: string | undefined): Promise<boolean> {
  const names = await readdir(directory);
  return names.every((found) => found === name || found === LOST_AND_FOUND);
}
