import { chmod, constants, copyFile, mkdir, open, stat, truncate } from 'node:fs/promises';
import type { VolumeMode } from './capabilities.ts';
import { run } from './command.ts';
import { filesystemOf } from './filesystems.ts';
import type { ClassParameters } from './parameters.ts';
import type { ContentFormat } from './records.ts';

/** In which stat counts, in bytes. */
const STAT_BLOCK = 512;

/**
 * The format in which a volume's content is kept.
 *
 * @param fsType what the class asks for; XFS where it asks for nothing
 */
export function formatFor(
  mode: VolumeMode,
  fsType: string,
  { enforceSize, quota }: Pick<ClassParameters, 'enforceSize' | 'quota'>,
): ContentFormat {
  if (mode === 'Block') {
    return 'device-image';
  }
  if (quota) {
    return 'quota-image';
  }
  if (!enforceSize) {
    return 'directory';
  }
  return fsType === 'ext4' ? 'ext4-image' : 'filesystem-image';
}

/** The volume mode that a format serves. */
export function modeFor(format: ContentFormat): VolumeMode {
  return format === 'device-image' ? 'Block' : 'Filesystem';
}

/** Whether growing takes work on the node as well, after the image file has grown. */
export function growsOnNode(format: ContentFormat): boolean {
  return format !== 'directory';
}

/** Makes an empty content. */
export async function makeContent(format: ContentFormat, path: string, capacityBytes: number): Promise<void> {
  if (format === 'directory') {
    // Pods run as any user; fsGroup narrows it for those that have one.
    await mkdir(path);
    await chmod(path, 0o777);
    return;
  }
  const file = await open(path, 'wx', 0o600);
  try {
    await file.truncate(imageBytes(format, capacityBytes));
  } finally {
    await file.close();
  }
  await filesystemOf(format)?.make(path, capacityBytes);
}

/** Copies a content by sharing its blocks, which takes as long for a large one as for a small one. */
export async function copyContent(format: ContentFormat, from: string, to: string): Promise<void> {
  if (format === 'directory') {
    await run('cp', '--archive', '--reflink=always', '--no-target-directory', from, to);
  } else {
    await copyFile(from, to, constants.COPYFILE_FICLONE_FORCE);
  }
}

/** Makes room for a larger volume. What uses an image file learns of it on its node. */
export async function growContent(format: ContentFormat, path: string, capacityBytes: number): Promise<void> {
  if (format !== 'directory') {
    await truncate(path, imageBytes(format, capacityBytes));
  }
}

/** Bytes that a content has taken of the pool so far, or shares with others. */
export async function usedBytes(format: ContentFormat, path: string): Promise<number> {
  if (format === 'directory') {
    return parseInt(await run('du', '--summarize', '--block-size=1', path), 10);
  }
  return (await stat(path)).blocks * STAT_BLOCK;
}

function imageBytes(format: ContentFormat, capacityBytes: number): number {
  return filesystemOf(format)?.imageBytes(capacityBytes) ?? capacityBytes;
}
