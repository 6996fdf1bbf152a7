import type { DecodedDisk, Extent } from '../../base/extents.ts';
import { zeroPieces } from '../../base/zeros.ts';
import { ReadAhead, type ReadAheadOptions } from './read-ahead.ts';

/**
 * Turns a disk that another system serves in ranges into extents, in order. The position is an offset of the disk.
 *
 * @param isUpdate whether parts of a disk are replaced, so that zeros are passed on as well; unchanged parts never are
 */
export function decodeSource(options: ReadAheadOptions, { isUpdate }: { isUpdate: boolean }): DecodedDisk {
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
      if (content === 'unchanged' && !isUpdate) throw new Error('a whole disk with parts that are unchanged');
      position = offset;
      const zeros = content === 'zeros' && isUpdate ? length : 0;
      for (const part of data === undefined ? zeroPieces(zeros) : [data]) {
        const extent = { offset: position, data: part };
        position += part.length;
        yield extent;
      }
    }
  }
}
