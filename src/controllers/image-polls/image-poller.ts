import type { DataVolumeSource } from '../../api/source-fields.ts';

/** What an earlier poll has found. */
export interface KnownVersion {
  /** `sha256:` and 64 hexadecimal digits. */
  readonly digest: string;
  /**
   * What the server identified the version by, for conditional requests. They are compared with the digest before they
   * are used, so that they may be kept where others can write.
   */
  readonly validators?: Readonly<Record<string, string>> | undefined;
}

/** What a poll has found. */
export interface ImageVersion extends KnownVersion {
  /** Whether it is the version that was known. */
  readonly unchanged: boolean;
  /** What a container runtime pulls this version by, where an ImageStream names it: `host[:port]/repository@digest`. */
  readonly pullReference?: string;
}

/** Finds out which version of an image there is at a source, without reading the image. */
export interface ImagePoller {
  /**
   * @param namespace where the Secrets, ConfigMaps and ImageStreams are that the source names
   * @param source of a kind that changes: registry, http, s3 or gcs
   * @throws TransferError, which says by `permanent` whether trying again may help; WaitingError SecretNotFound,
   *   ConfigMapNotFound or ErrForbidden where an object or a right is missing in the cluster; the reason of the signal
   *   where that is aborted; ApiError and ConnectionError of the cluster's API
   */
  poll(
    namespace: string,
    source: DataVolumeSource,
    known: KnownVersion | undefined,
    signal: AbortSignal,
  ): Promise<ImageVersion>;
}
