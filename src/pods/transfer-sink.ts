import type { TransferTarget } from '../api/transfer-pod.ts';
import type { Progress } from '../transfer/progress.ts';
import { BlockSink } from '../transfer/sinks/block-sink.ts';
import { FileSink } from '../transfer/sinks/file-sink.ts';
import type { Sink } from '../transfer/sinks/sink.ts';

/** The sink for the volume of a transfer pod. */
export function createSink(
  target: TransferTarget,
  paths: { diskImage: string; blockDevice: string },
  progress: Progress,
  { overheadIsReserve = false } = {},
): Sink {
  const { preallocation } = target;
  if (target.volumeMode === 'Block') return new BlockSink({ path: paths.blockDevice, preallocation }, progress);
  return new FileSink({ path: paths.diskImage, preallocation, volume: target, overheadIsReserve }, progress);
}
