import { TransferError } from '../../base/errors.ts';
import { parseHttpUrl } from '../http/location.ts';

const ENDPOINT = 'https://storage.googleapis.com';
/** Where a browser finds objects, with a login of its own. */
const BROWSER_HOST = 'storage.cloud.google.com';

/**
 * Where an object of Google Cloud Storage is asked for: its XML API, which has a path for each object.
 *
 * @param given gs://bucket/object, or a URL of the object
 * @param endpoint of another server that gs:// stands for
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
