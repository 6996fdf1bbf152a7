import { BlockInflater } from '../block-inflater.ts';
import { truncated, type Header } from './header.ts';
import { inflateCluster } from './inflate.ts';
import type { PieceRun } from './pieces.ts';

/** Decompresses the clusters of an image. */
export class ClusterInflater extends BlockInflater {
  constructor({ clusterSize, size, compressionType }: Header) {
    super({
      blockSize: clusterSize,
      diskSize: size,
      inflate: (compressed, cluster) => inflateCluster(compressed, cluster, compressionType),
    });
  }

  /** @param bytes as much of the cluster as the file has */
  startCluster(bytes: Buffer, { host, guest, length }: Pick<PieceRun, 'host' | 'guest' | 'length'>): void {
    // The file's last sector need not be whole; when that is not enough, the file is incomplete rather than damaged.
    this.start(bytes, host, guest, (error) => (bytes.length < length ? truncated() : error));
  }
}
