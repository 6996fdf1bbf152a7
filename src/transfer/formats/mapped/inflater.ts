import { BlockInflater } from '../block-inflater.ts';
import { invalid, truncated, type Header } from './header.ts';
import type { PieceRun } from './pieces.ts';

/** Decompresses the clusters of an image. */
export class ClusterInflater extends BlockInflater {
  constructor({ clusterSize, size, compressionType }: Header) {
    super({
      codec: compressionType === 'zlib' ? 'raw' : 'zstd',
      blockSize: clusterSize,
      diskSize: size,
      failure: (isDamaged) =>
        invalid(isDamaged ? 'a compressed cluster is damaged' : 'a compressed cluster has the wrong length'),
    });
  }

  /** @param bytes as much of the cluster as the file has */
  startCluster(bytes: Buffer, { host, guest, length }: Pick<PieceRun, 'host' | 'guest' | 'length'>): void {
    // The file's last sector need not be whole; when that is not enough, the file is incomplete rather than damaged.
    this.start(bytes, host, guest, (error) => (bytes.length < length ? truncated() : error));
  }
}
