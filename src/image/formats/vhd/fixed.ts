import { TransferError } from '../../../base/errors.ts';
import type { DecodedDisk, Extent } from '../../../base/extents.ts';
import { formatBytes } from '../../../base/format-bytes.ts';
import { diskTypes, failures, FOOTER_LENGTH, isFooter, mayHoldFooter } from './footer.ts';

const MEBIBYTE = 1024 * 1024;

/**
 * Returns the size in bytes of the disk before the footer of a fixed VHD; undefined where this is no such footer.
 *
 * @param footer the last bytes of the file
 * @param total size of the file in bytes
 * @throws TransferError TruncatedImage, InvalidImage where the footer belongs to another file
 */
function sizeBefore(footer: Buffer, total: number): number | undefined {
  if (!isFooter(footer) || footer.readUInt32BE(60) !== diskTypes.fixed) return undefined;
  const size = total - FOOTER_LENGTH;
  const expected = Number(footer.readBigUInt64BE(48));
  if (expected === size) return size;
  const contradiction = `its footer speaks of a disk of ${expected} bytes, and ${size} come before it`;
  if (expected > size) {
    throw new TransferError(
      'TruncatedImage',
      `the VHD image is incomplete: ${contradiction}: it lacks ${formatBytes(expected - size)}`,
    );
  }
  throw failures.invalid(`${contradiction}: if they are a raw disk that ends with a VHD, state the format raw`);
}

/**
 * Returns the footer of a fixed VHD; undefined where there is none.
 *
 * @param end the last bytes of the file
 * @param total size of the file in bytes
 * @throws TransferError TruncatedImage, InvalidImage
 */
export function fixedVhdFooter(end: Buffer, total: number): Buffer | undefined {
  return sizeBefore(end, total) === undefined ? undefined : end;
}

/**
 * Removes the footer, which alone distinguishes a fixed VHD from a raw disk.
 *
 * @param raw the disk, with its last 512 bytes in order, or with nothing in between
 * @param size of it, where it is known beforehand
 * @throws TransferError among the extents: TruncatedImage, InvalidImage where the footer belongs to another file, or is
 * missing
 */
export function withoutFixedVhdFooter(
  raw: DecodedDisk,
  size: number | undefined,
  expected: 'has one' | 'may have one',
): DecodedDisk {
  // Disks usually have whole mebibytes: a disk that is larger by a footer may have one, and only its end shows the
  // size.
  const mayHave = expected === 'has one' || (size !== undefined && size % MEBIBYTE === FOOTER_LENGTH);
  const virtualSize = mayHave ? undefined : size;
  const disk: DecodedDisk = { ...raw, virtualSize, extents: extents() };
  return disk;

  async function* extents(): AsyncGenerator<Extent, void, void> {
    // The last bytes of the furthest extent, where they may be the start of a footer.
    let held: Extent | undefined;
    let end = 0;
    for await (const extent of raw.extents) {
      const isBeforeFooter = size !== undefined && endOf(extent) <= size - FOOTER_LENGTH;
      if (isBeforeFooter || endOf(extent) < end) {
        yield passOn(extent, held);
        continue;
      }
      let whole = extent;
      if (held !== undefined && endOf(held) === extent.offset && extent.data.length < FOOTER_LENGTH) {
        whole = join(held, extent.data);
      } else if (held !== undefined) {
        yield passOn(held, extent);
      }
      end = endOf(whole);
      const [start, last] = split(whole);
      held = mayHoldFooter(last.data) ? { offset: last.offset, data: Buffer.from(last.data) } : undefined;
      if (held === undefined) yield passOn(whole);
      else if (start.data.length > 0) yield passOn(start, held);
    }
    const total = raw.virtualSize;
    const before = held === undefined || total === undefined || end < total ? undefined : sizeBefore(held.data, total);
    if (before === undefined && held !== undefined) yield passOn(held);
    if (before !== undefined) disk.format = 'vhd';
    else if (expected === 'has one') throw failures.invalid('it has no footer, or a damaged one');
    disk.virtualSize = before ?? total;
  }

  /** @param next is not passed on yet */
  function passOn(extent: Extent, next?: Extent): Extent {
    disk.position = Math.min(raw.position ?? 0, next?.offset ?? Infinity);
    return extent;
  }
}

function endOf({ offset, data }: Extent): number {
  return offset + data.length;
}

function join({ offset, data }: Extent, more: Buffer): Extent {
  return { offset, data: Buffer.concat([data, more]) };
}

/** Splits an extent so that the second part is what may be a footer. */
function split({ offset, data }: Extent): [Extent, Extent] {
  const at = Math.max(0, data.length - FOOTER_LENGTH);
  return [
    { offset, data: data.subarray(0, at) },
    { offset: offset + at, data: data.subarray(at) },
  ];
}
