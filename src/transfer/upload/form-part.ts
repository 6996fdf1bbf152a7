import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { Dicer } from '@fastify/busboy';
import { UploadRefusal } from './upload-refusal.ts';

/** Name of the part with the image. */
const IMAGE_PART = 'file';

type PartHeaders = Record<string, string[] | undefined>;

/**
 * Takes a multipart form apart (RFC 7578) while it arrives.
 *
 * @param take reads the part with the image, which is complete only when the form is
 * @returns what `take` has returned, once the form is complete
 * @throws UploadRefusal where the form is none, is broken, or has no such part; what `take` throws
 */
export async function readForm<Taken>(
  request: Readable & { headers: IncomingHttpHeaders },
  take: (part: Readable, headers: IncomingHttpHeaders) => Promise<Taken>,
): Promise<Taken> {
  const parser = new Dicer({ boundary: boundaryOf(request.headers['content-type']) });
  const failed = Promise.withResolvers<never>();
  let taking: Promise<Taken> | undefined;
  parser.on('part', (part) => {
    part.on('error', () => undefined);
    part.on('header', (found) => {
      const headers = found as PartHeaders;
      if (taking !== undefined || nameIn(headers['content-disposition']?.[0]) !== IMAGE_PART) part.resume();
      else {
        taking = take(part, flattened(headers));
        taking.catch(failed.reject);
      }
    });
  });
  const parsed = new Promise<void>((resolve, reject) => {
    parser.on('finish', resolve);
    parser.on('error', (error) => {
      reject(new UploadRefusal(400, `the form is broken (${error.message}): send it again`, { cause: error }));
    });
  });
  try {
    request.pipe(parser);
    // The parser takes nothing of what comes behind the form.
    const read = parsed.then(() => request.resume());
    await Promise.race([Promise.all([finished(request), read]), failed.promise]);
  } finally {
    request.unpipe(parser);
    parsed.catch(() => undefined);
    failed.promise.catch(() => undefined);
    parser.destroy();
  }
  if (taking === undefined) throw new UploadRefusal(400, `the form has no part "${IMAGE_PART}": name the image so`);
  return taking;
}

function boundaryOf(contentType = ''): string {
  const [, quoted, plain] =
    /^multipart\/form-data\s*;.*?\bboundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(contentType) ?? [];
  const boundary = quoted ?? plain;
  if (boundary !== undefined) return boundary;
  throw new UploadRefusal(400, 'this path takes forms: send the image as the part "file" of multipart/form-data');
}

function nameIn(disposition = ''): string | undefined {
  const [, quoted, plain] = /^form-data\s*;(?:.*;)?\s*name=(?:"([^"]*)"|([^\s;"]+))/i.exec(disposition) ?? [];
  return quoted ?? plain;
}

function flattened(headers: PartHeaders): IncomingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).map(([name, values]) => [name, values?.[0]]));
}
