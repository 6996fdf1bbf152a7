import type { ByteStream } from '../../base/bytes.ts';

/** Reading that much again takes less than a second. */
const DISTANCE_BYTES = 256 * 1024 * 1024;

/** A hash of what comes before a position, which can be gone on with in several ways. */
interface RunningHash<Self> {
  update(bytes: Buffer): unknown;
  copy(): Self;
}

/** Hashes of the beginnings of an image, of which it reads nothing twice that it does not have to. */
export class PrefixHashes<Running extends RunningHash<Running>> {
  /** In the order of their positions, the first one being 0. */
  readonly #kept: { readonly position: number; readonly hash: Running }[];
  readonly #distance: number;

  /**
   * @param start the hash of nothing
   * @param distance bytes between the places whose hash is kept
   */
  constructor(start: Running, distance = DISTANCE_BYTES) {
    this.#kept = [{ position: 0, hash: start }];
    this.#distance = distance;
  }

  /**
   * Passes a stream on.
   *
   * @param hash of everything before the stream's first byte; it is brought up to each chunk before that is passed on
   */
  async *follow(stream: ByteStream, position: number, hash: Running): ByteStream {
    for await (const chunk of stream) {
      hash.update(chunk);
      position += chunk.length;
      const last = this.#kept.at(-1);
      if (position >= (last?.position ?? 0) + this.#distance) this.#kept.push({ position, hash: hash.copy() });
      yield chunk;
    }
  }

  /**
   * Returns the hash of everything before a position, to be gone on with.
   *
   * @param read reads from an offset up to another one
   */
  async upTo(position: number, read: (from: number, to: number) => ByteStream): Promise<Running> {
    const nearest = this.#kept.findLast((kept) => kept.position <= position);
    if (nearest === undefined) throw new RangeError(`nothing is before ${position}`);
    const { position: from } = nearest;
    const hash = nearest.hash.copy();
    if (from < position) {
      for await (const chunk of this.follow(read(from, position), from, hash)) void chunk;
    }
    return hash;
  }
}
