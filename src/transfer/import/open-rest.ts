import { abandonStream, ByteReader } from '../../base/bytes.ts';
import { TransferError } from '../../base/errors.ts';
import type { Progress } from '../../base/progress.ts';
import type { OpenedSource, Source } from '../../base/source.ts';
import { raw } from '../../image/formats/raw/driver.ts';
import { type Checkpoint, hashLocation } from '../checkpoint/checkpoint.ts';
import type { OpenedImage } from './opened-image.ts';

/**
 * Opens the rest of a raw disk, whose beginning an earlier process has written. That process has recognised it.
 *
 * @param opened the source, which does not begin at its first byte
 * @param checkpoint of that process
 * @throws TransferError SourceChanged where the import cannot be resumed there
 */
export function openRest(
  { source, progress }: { readonly source: Source; readonly progress: Progress },
  { bytes, startsAt, size, version }: OpenedSource & { startsAt: number },
  checkpoint: Checkpoint | undefined,
): OpenedImage {
  const { format, wrappers, certainOnly = [], position } = checkpoint ?? {};
  const isKnown = format === raw.name && wrappers?.length === 0 && position !== undefined && position >= startsAt;
  if (!isKnown || version === undefined) {
    abandonStream(bytes);
    throw new TransferError('SourceChanged', `${source.location} goes on where no import can be resumed`);
  }
  progress.skip(startsAt);
  const { location } = source;
  return {
    reader: new ByteReader(bytes, undefined, undefined, startsAt),
    ...{ location, size, format, certainOnly },
    wrappers: [],
    offset: undefined,
    doubtfulIn: () => undefined,
    // That its size is one of a disk was seen at its beginning.
    guess: { location, isCertain: true },
    subject: {
      source: { location: hashLocation(location), version, ...(size === undefined ? {} : { size }) },
      ...{ format, wrappers, certainOnly },
    },
    seeks: false,
  };
}
