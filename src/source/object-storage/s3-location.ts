import { TransferError } from '../../base/errors.ts';
import { parseHttpUrl } from '../http/location.ts';

/**
 * Returns the https URL of an s3://bucket/key URL: in virtual-host style at Amazon, in path style at another endpoint,
 * which seldom has a name for each bucket.
 *
 * @throws TransferError InvalidUrl
 */
export function s3ObjectUrl(
  given: string,
  { region, endpoint }: { region?: string | undefined; endpoint?: string | undefined },
): URL {
  const [, bucket, key] = /^s3:\/\/([a-z0-9][a-z0-9.-]*)\/(.+)$/s.exec(given) ?? [];
  if (bucket === undefined || key === undefined) {
    throw new TransferError('InvalidUrl', 'the source URL should be s3://bucket/object');
  }
  const path = key.split('/').map(encodeURIComponent).join('/');
  if (endpoint !== undefined) return parseHttpUrl(`${endpoint.replace(/\/$/, '')}/${bucket}/${path}`);
  const host = `s3.${region ?? 'us-east-1'}.amazonaws.com`;
  // A certificate for *.s3… does not cover a bucket with dots in its name.
  return parseHttpUrl(bucket.includes('.') ? `https://${host}/${bucket}/${path}` : `https://${bucket}.${host}/${path}`);
}
