import { createHash, type Hash } from 'node:crypto';
import { ChainedHash } from '../../server/chained-hash.ts';

/** What is hashed of an image while it is sent. */
export class ImageHash {
  /** By which the server knows the beginning of the image. */
  readonly chained: ChainedHash;
  /** SHA-256, where the user expects a certain one. */
  readonly whole: Hash | undefined;

  private constructor(chained: ChainedHash, whole: Hash | undefined) {
    this.chained = chained;
    this.whole = whole;
  }

  /** Begins at the first byte. */
  static create({ withWhole }: { withWhole: boolean }): ImageHash {
    return new ImageHash(ChainedHash.create(), withWhole ? createHash('sha256') : undefined);
  }

  update(bytes: Buffer): void {
    this.chained.update(bytes);
    this.whole?.update(bytes);
  }

  copy(): ImageHash {
    return new ImageHash(this.chained.copy(), this.whole?.copy());
  }
}
