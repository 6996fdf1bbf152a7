import { TransferError } from '../../base/errors.ts';
import type { DecodedDisk, Extent } from '../../base/extents.ts';
import { END_LENGTH, foreignEnds } from './foreign/ends.ts';
import { beginsAsDisk, refuseOddLength } from './plausible-disk.ts';
import { isIn } from './signature.ts';

/** What is known of an object that counts as a raw disk because it looks like nothing else. */
export interface RawGuess {
  /** For messages. */
  location: string;
  /** Whether its start says that it is a disk. */
  isCertain: boolean;
}

/** @param head the first HEAD_LENGTH bytes, or all there are */
export function guessRaw(head: Buffer, location: string): RawGuess {
  return { location, isCertain: beginsAsDisk(head) };
}

/**
 * Refuses what only its end tells to be no raw disk.
 *
 * @param end the last END_LENGTH bytes, or all there are
 * @param total bytes of the object
 * @throws TransferError UnsupportedImage, NotAnImage
 */
export function refuseByEnd(end: Buffer, total: number, { location, isCertain }: RawGuess): void {
  const foreign = foreignEnds.find((kind) => isIn(end, kind));
  if (foreign !== undefined) throw new TransferError('UnsupportedImage', `${location} is ${foreign.what}`);
  if (!isCertain) refuseOddLength(total, location);
}

/**
 * Looks at the end of a disk that counts as raw as it passes by.
 *
 * @param raw what is read; where it begins behind the disk's start, END_LENGTH bytes before `from` at least, or at the start
 * @param from where extents are wanted from, in bytes
 */
export function checkedAtEnd(raw: DecodedDisk, guess: RawGuess, from: number): DecodedDisk {
  const disk: DecodedDisk = { ...raw, position: from, extents: extents() };
  return disk;

  async function* extents(): AsyncGenerator<Extent, void, void> {
    const end = new EndOfDisk();
    for await (const extent of raw.extents) {
      end.add(extent);
      disk.position = Math.max(from, raw.position ?? 0);
      const isOld = Math.min(extent.data.length, Math.max(0, from - extent.offset));
      if (isOld < extent.data.length) yield { offset: extent.offset + isOld, data: extent.data.subarray(isOld) };
    }
    const total = raw.virtualSize ?? end.length;
    refuseByEnd(end.bytes(total), total, guess);
    disk.virtualSize = raw.virtualSize;
    disk.position = Math.max(from, raw.position ?? 0);
  }
}

/** The last bytes of what comes in pieces, in any order; what does not come is zeros. */
class EndOfDisk {
  #bytes = Buffer.alloc(END_LENGTH);
  length = 0;

  add({ offset, data }: Extent): void {
    const end = offset + data.length;
    if (end > this.length) this.#moveTo(end);
    const start = this.length - END_LENGTH;
    if (end <= start) return;
    const skipped = Math.max(0, start - offset);
    data.copy(this.#bytes, offset + skipped - start, skipped);
  }

  /** @param total bytes of the disk */
  bytes(total: number): Buffer {
    if (total > this.length) this.#moveTo(total);
    return this.#bytes.subarray(Math.max(0, END_LENGTH - total));
  }

  #moveTo(length: number): void {
    const distance = length - this.length;
    this.length = length;
    if (distance >= END_LENGTH) {
      this.#bytes.fill(0);
    } else {
      this.#bytes.copyWithin(0, distance);
      this.#bytes.fill(0, END_LENGTH - distance);
    }
  }
}
