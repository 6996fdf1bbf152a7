import type { RangeReader } from '../../../base/source.ts';
import type { ImageDetails } from '../image-details.ts';
import { HEADERS_LENGTH } from './headers.ts';
import { LONGEST_METADATA, parseMetadata } from './metadata.ts';
import { parseRegions } from './regions.ts';

/**
 * Describes the metadata of a VHDX.
 *
 * @throws TransferError InvalidImage, UnsupportedImage; errors of `ranges`
 */
export async function describeVhdx(ranges: RangeReader): Promise<ImageDetails> {
  if (ranges.size < HEADERS_LENGTH) return {};
  const { metadata: place } = parseRegions(await ranges.read(0, HEADERS_LENGTH));
  const length = Math.min(place.length, LONGEST_METADATA, ranges.size - place.offset);
  if (length <= 0) return {};
  const { size, blockSize, isFixed, hasParent } = parseMetadata(await ranges.read(place.offset, length));
  return {
    virtualSize: size,
    version: hasParent ? 'differencing' : isFixed ? 'fixed' : 'dynamic',
    clusterSize: blockSize,
    backingFile: hasParent ? 'present' : undefined,
  };
}
