import type { DecodedDisk, Extent } from '../../base/extents.ts';
import { zeroPieces } from '../../base/zeros.ts';
import { ReadAhead, type ReadAheadOptions } from './read-ahead.ts';

export interface DecodeSourceOptions extends ReadAheadOptions {
  /** Whether parts of a disk are replaced, so that zeros are passed on as well; unchanged parts never are. */
  isUpdate: boolean;
  /** Has to end before the first extent is passed on. */
  beforeFirst?: (() => Promise<void>) | undefined;
}

/**
 * Turns a disk that another system serves in ranges into extents, in order. The position is an offset of the disk.
 */
export function decodeSource(options: DecodeSourceOptions): DecodedDisk {
  const { isUpdate, beforeFirst } = options;
  let begun = false;
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
    for await (const { offset, length, content, data, keepUntil } of new ReadAhead(options).pieces()) {
      if (content === 'unchanged' && !isUpdate) throw new Error('a whole disk with parts that are unchanged');
      position = offset;
      const zeros = content === 'zeros' && isUpdate ? length : 0;
      for (const part of data === undefined ? zeroPieces(zeros) : [data]) {
        const extent = { offset: position, data: part, keepUntil: data === undefined ? undefined : keepUntil };
        position += part.length;
        if (!begun) await beforeFirst?.();
        begun = true;
        yield extent;
      }
    }
  }
}
