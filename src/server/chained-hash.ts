import { createHash, type Hash } from 'node:crypto';

/** Bytes of a block. */
export const BLOCK_BYTES = 4 * 1024 * 1024;

/**
 * SHA-256 of a stream in blocks: what is hashed of each block is the digest of everything before it, and its own bytes.
 * It depends on nothing but the bytes, and can be gone on with after any whole block by another process, for which the
 * digest is all that has to be kept. Up to the end of the first block, it is the SHA-256 of the bytes.
 */
export class ChainedHash {
  /** Of the block that has begun. */
  #hash: Hash;
  /** Digest of everything, where a block has just ended. */
  #ended: string | undefined;
  #position: number;

  private constructor(hash: Hash, position: number, ended: string | undefined) {
    this.#hash = hash;
    this.#position = position;
    this.#ended = ended;
  }

  /** Begins at the first byte. */
  static create(): ChainedHash {
    return new ChainedHash(createHash('sha256'), 0, undefined);
  }

  /**
   * Goes on after whole blocks.
   *
   * @param position their length in bytes
   * @param digest of them, in hexadecimal
   */
  static after(position: number, digest: string): ChainedHash {
    if (position === 0 || position % BLOCK_BYTES !== 0) throw new RangeError(`no block ends at ${position}`);
    return new ChainedHash(following(digest), position, digest);
  }

  /** Bytes that have been hashed. */
  get position(): number {
    return this.#position;
  }

  /** @param onBlock is called at the end of each block, with the digest up to there */
  update(bytes: Buffer, onBlock?: (position: number, digest: string) => void): void {
    for (let rest = bytes; rest.length > 0;) {
      const part = rest.subarray(0, BLOCK_BYTES - (this.#position % BLOCK_BYTES));
      this.#hash.update(part);
      this.#position += part.length;
      this.#ended = undefined;
      rest = rest.subarray(part.length);
      if (this.#position % BLOCK_BYTES !== 0) continue;
      this.#ended = this.#hash.digest('hex');
      this.#hash = following(this.#ended);
      onBlock?.(this.#position, this.#ended);
    }
  }

  copy(): ChainedHash {
    return new ChainedHash(this.#hash.copy(), this.#position, this.#ended);
  }

  /** The digest of what has been hashed, in lower-case hexadecimal. */
  digest(): string {
    return this.#ended ?? this.#hash.copy().digest('hex');
  }
}

function following(digest: string): Hash {
  return createHash('sha256').update(Buffer.from(digest, 'hex'));
}
