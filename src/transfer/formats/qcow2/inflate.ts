import { decompressFrame, inflateBlock } from '../../decompress/inflate-block.ts';
import { invalid, type Header } from './header.ts';
import { zstdFrameLength } from './zstd-frame.ts';

/**
 * Decompresses one cluster, off the event loop.
 *
 * @param compressed the cluster's data, with whatever comes behind it in its last sector; left alone until this ends
 * @param cluster where it goes to; as long as a cluster
 * @throws TransferError InvalidImage
 */
export async function inflateCluster(
  compressed: Buffer,
  cluster: Buffer,
  compressionType: Header['compressionType'],
): Promise<void> {
  let length: number;
  try {
    length =
      compressionType === 'zlib'
        ? await inflateBlock('raw', compressed, cluster)
        : await decompressFrame(compressed.subarray(0, zstdFrameLength(compressed)), cluster);
  } catch {
    throw invalid('a compressed cluster is damaged');
  }
  if (length !== cluster.length) throw invalid('a compressed cluster has the wrong length');
}
