import { constants, open } from 'node:fs/promises';
import { join } from 'node:path';
import { TransferError, systemCode } from '../errors.ts';
import { runProgram } from '../programs.ts';
import type { Progress } from '../progress.ts';
import { deviceSize } from '../sinks/device-size.ts';
import type { CloneOffer, VolumeMode } from './clone-protocol.ts';
import { readDisk } from './disk-reader.ts';
import { encodeExtents, type DiskExtent } from './extent-stream.ts';
import { archiveTree } from './tree-archive.ts';
import type { CloneStream } from './upload-client.ts';

/** A volume to be cloned. */
export type CloneSourceVolume =
  | { volumeMode: 'Block'; path: string }
  | {
      volumeMode: 'Filesystem';
      directory: string;
      /** Name of the disk image at the volume's root, where it holds one. */
      diskImage?: string;
    };

/** Something that can be sent, as often as it takes. */
export interface CloneContent {
  offer: CloneOffer;
  open(progress: Progress, signal?: AbortSignal): CloneStream;
}

/**
 * Chooses how a volume is sent to a target of the given mode: tree to tree as an archive, everything else as a disk.
 *
 * @throws TransferError UnsupportedClone, DiskNotFound, SourceNotReadable
 */
export async function prepareContent(source: CloneSourceVolume, target: VolumeMode): Promise<CloneContent> {
  if (source.volumeMode === 'Block') return diskContent(source.path, await measureDisk(source.path));
  const { directory, diskImage } = source;
  const diskPath = diskImage === undefined ? undefined : join(directory, diskImage);
  const virtualSize = diskPath === undefined ? undefined : await measureDisk(diskPath).catch(unlessNotFound);
  if (target === 'Filesystem') return treeContent(directory, virtualSize);
  if (diskPath === undefined) {
    throw new TransferError(
      'UnsupportedClone',
      'a tree of files cannot be copied to a Block volume: use volumeMode Filesystem',
    );
  }
  if (virtualSize === undefined) {
    throw new TransferError(
      'DiskNotFound',
      `the source volume holds no ${diskImage}, so there is no disk for a Block volume`,
    );
  }
  return diskContent(diskPath, virtualSize);
}

function diskContent(path: string, virtualSize: number): CloneContent {
  return {
    offer: { contentType: 'blockdevice-clone', virtualSize, bytesTotal: virtualSize },
    open: (progress) => {
      const { size, extents } = readDisk(path, virtualSize);
      return encodeExtents({ size, extents: counted(extents, progress) });
    },
  };
}

async function* counted(extents: AsyncIterable<DiskExtent>, progress: Progress): AsyncGenerator<DiskExtent> {
  for await (const extent of extents) {
    yield extent;
    progress.read(extent.length);
    if (extent.data) progress.wrote(extent.length);
  }
}

async function treeContent(directory: string, virtualSize: number | undefined): Promise<CloneContent> {
  const bytesTotal = await diskUsage(directory);
  return {
    offer: {
      contentType: 'filesystem-clone',
      ...(virtualSize !== undefined && { virtualSize }),
      ...(bytesTotal !== undefined && { bytesTotal }),
    },
    open: async function* (progress, signal) {
      for await (const piece of archiveTree(directory, signal)) {
        yield piece;
        progress.read(piece.length);
        progress.wrote(piece.length);
      }
    },
  };
}

/** The size in bytes of a disk image or device. Links are not followed: they may lead out of the volume. */
async function measureDisk(path: string): Promise<number> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stats = await file.stat();
      if (stats.isBlockDevice()) return await deviceSize(file);
      if (stats.isFile()) return stats.size;
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

function unlessNotFound(error: unknown): undefined {
  if (systemCode((error as Error).cause) === 'ENOENT') return undefined;
  throw error;
}

/** Bytes of storage that a tree takes: hard links count once, holes do not. Undefined where not all of it can be read. */
async function diskUsage(directory: string): Promise<number | undefined> {
  const { exitCode, stdout } = await runProgram('du', [
    '--summarize',
    '--one-file-system',
    '--block-size=1',
    directory,
  ]);
  const bytes = Number.parseInt(stdout, 10);
  return exitCode === 0 && Number.isSafeInteger(bytes) ? bytes : undefined;
}
