import { type Remedy, TransferError } from '../../base/errors.ts';
import type { HttpResponse } from '../http/client.ts';
import { statusFailure } from '../http/failures.ts';
import { describeUrl } from '../http/location.ts';
import { readDocument } from '../http/read-document.ts';

/** Longest document in bytes; usual ones have a few hundred. */
const LONGEST_DOCUMENT = 64 * 1024;
/** Milliseconds for the document, which only adds detail to the status. */
const DOCUMENT_TIMEOUT_MILLISECONDS = 10_000;

/** An object store's reason for refusing a request. */
export interface Refusal {
  /** NoSuchKey, AccessDenied, …; empty where the store gives none. */
  code: string;
  /** Region of the bucket, where the store says that it is another one. */
  region: string | undefined;
  response: HttpResponse;
}

/** Whether a response is neither the object nor about a condition or the requested range. */
export function isRefused({ status }: HttpResponse): boolean {
  return status >= 300 && status !== 304 && status !== 416;
}

/** Reads the error document of a response, which is XML both in S3's API and in Google Cloud Storage's XML API. */
export async function readRefusal(response: HttpResponse): Promise<Refusal> {
  const document = await readStart(response);
  // Both are identifiers, and both are shown or sent.
  const field = (name: string): string | undefined =>
    new RegExp(`<${name}>([\\w.-]{1,64})</${name}>`).exec(document)?.[1];
  const region = response.headers['x-amz-bucket-region'];
  return {
    code: field('Code') ?? '',
    region: typeof region === 'string' ? region : field('Region'),
    response,
  };
}

/** Explains a refusal to the user, with the remedy. */
export function refusalFailure(
  { code, response }: Refusal,
  { anonymous, remedy }: { anonymous: boolean; remedy: Remedy },
): TransferError {
  const { status, headers, url } = response;
  const where = describeUrl(url);
  const answer = `${where} answered ${status}${code === '' ? '' : ` ${code}`}`;
  switch (code) {
    case 'NoSuchBucket':
      return new TransferError('NotFound', `${answer}: there is no such bucket; check the URL and its endpoint`);
    case 'NoSuchKey':
      return new TransferError('NotFound', `${answer}: the bucket has no such object; check the URL`);
    case 'InvalidAccessKeyId':
    case 'SignatureDoesNotMatch':
    case 'InvalidToken':
    case 'ExpiredToken':
      return new TransferError('Unauthorized', `${answer}: the credentials are not valid`, { remedy });
    case 'RequestTimeTooSkewed':
      return new TransferError('RequestRejected', `${answer}: the clock of this machine is wrong, or the server's is`);
    case 'InvalidObjectState':
      return new TransferError('Forbidden', `${answer}: the object is archived; restore it first`);
    default:
  }
  if (status !== 401 && status !== 403) return statusFailure(status, headers, url);
  if (anonymous) {
    return new TransferError('Unauthorized', `${answer}: it needs credentials, and none were given`, { remedy });
  }
  return new TransferError('Forbidden', `${answer}: these credentials may not read it, or it does not exist`);
}

async function readStart(response: HttpResponse): Promise<string> {
  try {
    return (
      await readDocument(response, { longest: LONGEST_DOCUMENT, timeout: DOCUMENT_TIMEOUT_MILLISECONDS })
    ).toString();
  } catch {
    // The status alone has to do.
    return '';
  }
}
