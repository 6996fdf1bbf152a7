import { TransferError } from '../../base/errors.ts';
import { parseHttpUrl } from '../http/location.ts';

const ENDPOINT = 'https://storage.googleapis.com';
/** The host where a browser finds objects, with its own login. */
const BROWSER_HOST = 'storage.cloud.google.com';

/**
 * Returns the URL of an object of Google Cloud Storage in its XML API, which has one path for each object.
 *
 * @param given gs://bucket/object, or a URL of the object
 * @param endpoint another server that gs:// refers to
 * @throws TransferError InvalidUrl
 */
export function gcsObjectUrl(given: string, endpoint: string = ENDPOINT): URL {
  if (!given.startsWith('gs://')) {
    const url = parseHttpUrl(given);
    if (url.hostname === BROWSER_HOST) url.host = new URL(ENDPOINT).host;
    return url;
  }
  const [, bucket, object] = /^gs:\/\/([a-z0-9][a-z0-9._-]*)\/(.+)$/s.exec(given) ?? [];
  if (bucket === undefined || object === undefined) {
    throw new TransferError('InvalidUrl', 'the source URL should be gs://bucket/object');
  }
  const path = object.split('/').map(encodeURIComponent).join('/');
  return parseHttpUrl(`${endpoint.replace(/\/$/, '')}/${bucket}/${path}`);
}
