import { ByteReader } from '../base/bytes.ts';
import { TransferError } from '../base/errors.ts';
import type { OpenedSource, Source } from '../base/source.ts';
import { HEAD_LENGTH } from '../image/formats/recognise.ts';
import { FOUND_NOTHING } from '../image/unwrap/doubtful-member.ts';
import { unwrap, type Unwrapped } from '../image/unwrap/unwrap.ts';
import { refuseHiddenCoding } from './content-coding.ts';
import { locationIn, seekableOf } from './import/open-image.ts';

export interface ChosenImage {
  /** The source, as it was opened for the image. */
  opened: OpenedSource;
  image: Unwrapped;
}

/**
 * Opens the image that an import takes, without importing anything. Where a member of an archive only might be a disk,
 * the rest of the archive is searched for a certain one, and the member is opened only where there is none.
 *
 * @param certainOnly see {@link import('../image/unwrap/unwrap.ts').UnwrapOptions}
 * @throws TransferError
 */
export async function openChosen(source: Source, certainOnly: readonly number[] = []): Promise<ChosenImage> {
  const first = await openOnce(source, certainOnly);
  const archive = first.image.doubtfulIn();
  if (archive === undefined) return first;
  // A source is read by one reader at a time.
  await first.image.reader.close();
  try {
    return await openChosen(source, [...certainOnly, archive]);
  } catch (error) {
    if (!(error instanceof TransferError) || !FOUND_NOTHING.has(error.code)) throw error;
    return openOnce(source, certainOnly);
  }
}

async function openOnce(source: Source, certainOnly: readonly number[]): Promise<ChosenImage> {
  const opened = await source.open(HEAD_LENGTH);
  refuseHiddenCoding(opened, source.location);
  const reader = new ByteReader(opened.bytes, seekableOf(opened));
  return { opened, image: await unwrap(reader, opened.size, locationIn(source, opened), { certainOnly }) };
}
