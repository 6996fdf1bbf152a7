import { chmod, constants, copyFile, mkdir, open, truncate } from 'node:fs/promises';
import { run } from './command.ts';
import type { ContentFormat } from './records.ts';
import type { VolumeMode } from './capabilities.ts';

/** The format in which a volume's content is kept. */
export function formatFor(mode: VolumeMode, enforceSize: boolean): ContentFormat {
  if (mode === 'Block') {
    return 'device-image';
  }
  return enforceSize ? 'filesystem-image' : 'directory';
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
    await file.truncate(capacityBytes);
  } finally {
    await file.close();
  }
  if (format === 'filesystem-image') {
    // Without --unsupported it refuses small filesystems, and takes 64 MiB for the log of larger ones.
    await run('mkfs.xfs', '-q', '-K', '--unsupported', '-m', 'reflink=0', '-l', 'size=8m', path);
  }
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
    await truncate(path, capacityBytes);
  }
}
