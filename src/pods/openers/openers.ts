import type { SourceRequest } from '../../protocol/source-request.ts';
import { blank } from './blank.ts';
import { file } from './file.ts';
import { gcs } from './gcs.ts';
import { http } from './http.ts';
import { imageio } from './imageio.ts';
import type { OpenerOf, Opening, ReadableDisk, ReadableSource, SourceOpener } from './opener.ts';
import { pulledImage } from './pulled-image.ts';
import { registry } from './registry.ts';
import { s3 } from './s3.ts';
import { vddk } from './vddk.ts';

/** The opener of each type of request. */
const openers: { readonly [Type in SourceRequest['type']]: OpenerOf<Type> } = {
  http,
  s3,
  gcs,
  registry,
  'pulled-image': pulledImage,
  blank,
  file,
  imageio,
  vddk,
};

/**
 * Opens the source of a request.
 *
 * @returns undefined where there is nothing to read, and the disk is blank
 * @throws TransferError
 */
export function openSource(
  request: SourceRequest,
  opening: Opening,
): Promise<ReadableSource | ReadableDisk | undefined> {
  const opener: SourceOpener = openers[request.type];
  return opener.open(request, opening);
}
