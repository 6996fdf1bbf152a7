import type { DecodedDisk, Extent } from '../../base/extents.ts';
import { zeroPieces } from '../../base/zeros.ts';
import { ReadAhead, type ReadAheadOptions } from './read-ahead.ts';

/**
 * Turns a disk that another system serves in ranges into extents, in order. The position is an offset of the disk.
 *
 * @param withZeros whether zeros are passed on too, because the target does not read as zeros
 */
export function decodeSource(options: ReadAheadOptions, { withZeros }: { withZeros: boolean }): DecodedDisk {
  let position = options.from;
  return {
    format: 'raw',
    isVerbatim: true,
    virtualSize: options.disk.size,
    get position() {
      return position;
    },
    extents: extents(),
  };

  async function* extents(): AsyncGenerator<Extent, void, void> {
    for await (const { offset, length, content, data } of new ReadAhead(options).pieces()) {
      position = offset;
      for (const part of data === undefined ? zeroPieces(withZeros && content === 'zeros' ? length : 0) : [data]) {
        const extent = { offset: position, data: part };
        position += part.length;
        yield extent;
      }
    }
  }
}
