import type { ByteStream } from '../../base/bytes.ts';

/** A store of an image's documents and layers. */
export interface ImageStore {
  /**
   * Returns a manifest or an index.
   *
   * @param reference the image's name in the store, or a digest, which is verified
   */
  manifest(reference: string): Promise<string>;
  /** Returns a blob that is a small document, verified. */
  configuration(digest: string): Promise<string>;
  /**
   * Opens a blob of any size, which has to be read or closed before the next one is opened. The reader verifies its
   * digest.
   */
  blob(digest: string): Promise<ByteStream>;
  close(): Promise<void>;
}
