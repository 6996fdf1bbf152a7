import { env } from 'node:process';
import type { S3Credentials } from '../../source/object-storage/s3-requests.ts';
import type { GivenSource } from './given-source.ts';

/** An object of S3, with the credentials, region and endpoint of the environment. */
export const s3: GivenSource = {
  shown: 's3://…',
  matches: (given) => given.startsWith('s3://'),
  async open(given, settings, progress) {
    const { S3Source } = await import('../../source/kinds/s3-source.ts');
    const { s3ObjectUrl } = await import('../../source/object-storage/s3-location.ts');
    const region = env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'];
    const url = s3ObjectUrl(given, { region, endpoint: env['AWS_ENDPOINT_URL_S3'] ?? env['AWS_ENDPOINT_URL'] });
    return new S3Source({ ...settings, url: url.href, region, credentials: credentials() }, progress);
  },
};

function credentials(): S3Credentials | undefined {
  const accessKeyId = env['AWS_ACCESS_KEY_ID'];
  const secretAccessKey = env['AWS_SECRET_ACCESS_KEY'];
  if (accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  return { accessKeyId, secretAccessKey, sessionToken: env['AWS_SESSION_TOKEN'] };
}
