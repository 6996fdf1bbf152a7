import { TransferError } from '../../base/errors.ts';
import type { DecodedDisk, Extent } from '../../base/extents.ts';
import { END_LENGTH, foreignEnds } from './foreign/ends.ts';
import { beginsAsDisk, refuseOddLength } from './plausible-disk.ts';
import { isIn } from './signature.ts';

/** What is known of an object that counts as a raw disk because it looks like nothing else. */
export interface RawGuess {
  /** Location for messages. */
  location: string;
  /** Whether its start shows that it is a disk. */
  isCertain: boolean;
}

/** @param head the first HEAD_LENGTH bytes, or all there are */
export function guessRaw(head: Buffer, location: string): RawGuess {
  return { location, isCertain: beginsAsDisk(head) };
}

/**
 * Refuses an object that only its end shows not to be a raw disk.
 *
 * @param end the last END_LENGTH bytes, or all there are
 * @param total size of the object in bytes
 * @throws TransferError UnsupportedImage, NotAnImage
 */
export function refuseByEnd(end: Buffer, total: number, { location, isCertain }: RawGuess): void {
  const foreign = foreignEnds.find((kind) => isIn(end, kind));
  if (foreign !== undefined) throw new TransferError('UnsupportedImage', `${location} is ${foreign.what}`);
  if (!isCertain) refuseOddLength(total, location);
}

/**
 * Checks the end of a disk that counts as raw, while it is passed on.
 *
 * @param raw the disk; where it does not begin at offset 0, it begins at least END_LENGTH bytes before `from`
 * @param from offset in bytes from which extents are passed on
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

/** Collects the last bytes of a disk from extents in any order; ranges without extents are zeros. */
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

  /** @param total size of the disk in bytes */
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
