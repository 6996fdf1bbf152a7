import type { Progress } from '../base/progress.ts';
import type { TransferTarget } from '../protocol/transfer-pod.ts';
import { BlockSink } from '../sink/block-sink.ts';
import type { DiskTarget } from '../sink/disk-target.ts';
import { FileSink } from '../sink/file-sink.ts';

/** Creates the sink for the volume of a transfer pod. */
export function createSink(
  target: TransferTarget,
  paths: { diskImage: string; blockDevice: string },
  progress: Progress,
  { overheadIsReserve = false, keepsDiskSize = false } = {},
): DiskTarget {
  const { preallocation } = target;
  if (target.volumeMode === 'Block') return new BlockSink({ path: paths.blockDevice, preallocation }, progress);
  return new FileSink(
    { path: paths.diskImage, preallocation, volume: target, overheadIsReserve, keepsDiskSize },
    progress,
  );
}
