import type { DecodedDisk, Extent } from '../../extents.ts';
import type { RangeReader } from '../../source.ts';
import { FOOTER_LENGTH, diskTypes, isFooter, mayHoldFooter } from './footer.ts';

const MEBIBYTE = 1024 * 1024;

/**
 * The size of the disk before this footer of a VHD of fixed size; undefined where it is none, or not of this file.
 *
 * @param footer the file's last bytes
 * @param total bytes of the file
 */
function sizeBefore(footer: Buffer, total: number): number | undefined {
  if (!isFooter(footer) || footer.readUInt32BE(60) !== diskTypes.fixed) return undefined;
  return footer.readBigUInt64BE(48) === BigInt(total - FOOTER_LENGTH) ? total - FOOTER_LENGTH : undefined;
}

/** The footer of what is a VHD of fixed size; undefined where it is none. */
export async function readFixedVhdFooter(ranges: RangeReader): Promise<Buffer | undefined> {
  if (ranges.size <= FOOTER_LENGTH) return undefined;
  const footer = await ranges.read(ranges.size - FOOTER_LENGTH, FOOTER_LENGTH);
  return sizeBefore(footer, ranges.size) === undefined ? undefined : footer;
}

/**
 * Leaves out the footer by which only its last bytes tell a VHD of fixed size from a raw disk.
 *
 * @param raw what is read; its last 512 bytes in order, or with nothing between them
 * @param size of it, where it is known beforehand
 */
export function withoutFixedVhdFooter(raw: DecodedDisk, size: number | undefined): DecodedDisk {
  // A disk is whole mebibytes mostly: what is larger by a footer may have one, and only its end tells how large the disk is.
  const virtualSize = size !== undefined && size % MEBIBYTE === FOOTER_LENGTH ? undefined : size;
  const disk: DecodedDisk = { ...raw, virtualSize, extents: extents() };
  return disk;

  async function* extents(): AsyncGenerator<Extent, void, void> {
    // The last bytes of what lies furthest, where they may be a footer's first ones.
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
    if (before !== undefined) disk.format = 'vpc';
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

/** What may be a footer is the second part. */
function split({ offset, data }: Extent): [Extent, Extent] {
  const at = Math.max(0, data.length - FOOTER_LENGTH);
  return [
    { offset, data: data.subarray(0, at) },
    { offset: offset + at, data: data.subarray(at) },
  ];
}
