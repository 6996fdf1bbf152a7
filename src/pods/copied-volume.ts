import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { systemCode, TransferError } from '../base/errors.ts';
import type { Progress } from '../base/progress.ts';
import { type BlockRanges, decodeBlockRanges } from '../protocol/block-ranges.ts';
import { ALLOCATED_RANGES_FILE, CHANGED_RANGES_FILE, DISK_IMAGE_PATH } from '../protocol/transfer-pod.ts';
import type { CloneSourceVolume } from '../transfer/copy/copy-source-volume.ts';

interface CopiedVolumeRequest {
  readonly volumeMode: 'Filesystem' | 'Block';
  readonly contentType: 'kubevirt' | 'archive';
}

interface CopiedVolumePaths {
  readonly dataDirectory: string;
  readonly blockDevice: string;
  /** Where the lists of ranges are mounted, if there are any. */
  readonly rangesDirectory: string;
}

/** Returns the volume that a pod copies from, with what the driver tells of its blocks. */
export async function copiedVolume(
  { volumeMode, contentType }: CopiedVolumeRequest,
  { dataDirectory, blockDevice, rangesDirectory }: CopiedVolumePaths,
  progress: Progress,
): Promise<CloneSourceVolume> {
  if (volumeMode === 'Block') {
    const [changed, allocation] = await Promise.all(
      [CHANGED_RANGES_FILE, ALLOCATED_RANGES_FILE].map((name) => readRanges(join(rangesDirectory, name), progress)),
    );
    return { volumeMode: 'Block', path: blockDevice, changed, allocation };
  }
  return {
    volumeMode: 'Filesystem',
    directory: dataDirectory,
    ...(contentType === 'kubevirt' && { diskImage: basename(DISK_IMAGE_PATH) }),
  };
}

/**
 * Returns the volume as it is to be read from now on: what its driver tells is not used again where that was found to
 * be wrong.
 */
export function withoutWrongRanges(
  source: CloneSourceVolume,
  allocation: 'used' | 'wrong' | undefined,
): CloneSourceVolume {
  return source.volumeMode === 'Block' && allocation === 'wrong' ? { ...source, allocation } : source;
}

/** Reads a list of ranges from the Secret; undefined where there is none that is understood, or it is empty. */
async function readRanges(path: string, progress: Progress): Promise<BlockRanges | undefined> {
  try {
    const text = await readFile(path, 'utf8');
    return text === '' ? undefined : decodeBlockRanges(text);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    if (!(error instanceof TransferError)) throw error;
    progress.note('everything is read', { reason: error.message });
    return undefined;
  }
}
