import { promisify } from 'node:util';
import { constants, inflateRaw, zstdDecompress } from 'node:zlib';
import { invalid, type Header } from './header.ts';
import { zstdFrameLength } from './zstd-frame.ts';

const inflateRawAsync = promisify(inflateRaw);
const zstdDecompressAsync = promisify(zstdDecompress);
/** A frame may ask for memory that no cluster needs. */
const zstdParameters = { [constants.ZSTD_d_windowLogMax]: 22 };

/**
 * Decompresses one cluster, off the event loop.
 *
 * @param compressed the cluster's data, with whatever comes behind it in its last sector
 * @throws TransferError InvalidImage
 */
export async function inflateCluster(compressed: Buffer, header: Header): Promise<Buffer> {
  let data: Buffer;
  try {
    data = await (header.compressionType === 'zlib' ? inflateZlib : inflateZstd)(compressed, header.clusterSize);
  } catch {
    throw invalid('a compressed cluster is damaged');
  }
  if (data.length !== header.clusterSize) throw invalid('a compressed cluster has the wrong length');
  return data;
}

function inflateZlib(compressed: Buffer, maxOutputLength: number): Promise<Buffer> {
  return inflateRawAsync(compressed, { maxOutputLength, finishFlush: constants.Z_SYNC_FLUSH });
}

function inflateZstd(compressed: Buffer, maxOutputLength: number): Promise<Buffer> {
  const frame = compressed.subarray(0, zstdFrameLength(compressed));
  return zstdDecompressAsync(frame, { maxOutputLength, params: zstdParameters });
}
