import type { ByteStream } from '../../base/bytes.ts';

/** Where an image's documents and layers are kept. */
export interface ImageStore {
  /**
   * A manifest or an index.
   *
   * @param reference what the store has it under, or a digest, which is verified
   */
  manifest(reference: string): Promise<string>;
  /** A blob that is a small document, verified. */
  configuration(digest: string): Promise<string>;
  /** A blob of any size, to be read or closed before the next one is asked for. Whoever reads it verifies its digest. */
  blob(digest: string): Promise<ByteStream>;
  close(): Promise<void>;
}
