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
 * Turns a disk that another system serves in ranges into extents, which are not in order. The position is an offset of
 * the disk.
 */
export function decodeSource(options: DecodeSourceOptions): DecodedDisk {
  const { isUpdate, beforeFirst, disk } = options;
  const readAhead = new ReadAhead(options);
  let begun = false;
  /** The end of what was passed on of a piece in parts. */
  let partial: number | undefined;
  return {
    format: 'raw',
    isVerbatim: true,
    virtualSize: disk.size,
    get position() {
      return Math.min(readAhead.position, partial ?? Infinity);
    },
    extents: extents(),
  };

  async function* extents(): AsyncGenerator<Extent, void, void> {
    for await (const { offset, length, content, data, keepUntil } of readAhead.pieces()) {
      if (content === 'unchanged' && !isUpdate) throw new Error('a whole disk with parts that are unchanged');
      const zeros = content === 'zeros' && isUpdate ? length : 0;
      if (!begun && (data !== undefined || zeros > 0)) {
        await beforeFirst?.();
        begun = true;
      }
      if (data !== undefined) {
        yield { offset, data, keepUntil };
        continue;
      }
      partial = offset;
      for (const part of zeroPieces(zeros)) {
        const extent = { offset: partial, data: part };
        partial += part.length;
        yield extent;
      }
      partial = undefined;
    }
  }
}
