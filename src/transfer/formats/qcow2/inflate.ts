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

/** A cluster is decompressed in one piece, without being put together from smaller ones. */
function inflateZlib(compressed: Buffer, length: number): Promise<Buffer> {
  const options = { windowBits: 12, maxOutputLength: length, chunkSize: length, finishFlush: constants.Z_SYNC_FLUSH };
  return inflateRawAsync(compressed, options);
}

function inflateZstd(compressed: Buffer, length: number): Promise<Buffer> {
  const frame = compressed.subarray(0, zstdFrameLength(compressed));
  return zstdDecompressAsync(frame, { maxOutputLength: length, chunkSize: length, params: zstdParameters });
}
