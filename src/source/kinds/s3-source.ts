import type { Progress } from '../../base/progress.ts';
import { parseHttpUrl } from '../http/location.ts';
import { type S3Credentials, S3Requests } from '../object-storage/s3-requests.ts';
import { WebObject, type WebObjectOptions } from './web-object.ts';

export interface S3SourceOptions extends WebObjectOptions {
  /** https://endpoint/bucket/object or https://bucket.endpoint/object */
  url: string;
  /** Credentials; without them the object is requested anonymously. */
  credentials?: S3Credentials | undefined;
  /** Region of the bucket; determined where it is not given. */
  region?: string | undefined;
}

/** An object of S3, or of a server with a compatible API. */
export class S3Source extends WebObject {
  constructor(options: S3SourceOptions, progress: Progress) {
    const url = parseHttpUrl(options.url);
    const requests = new S3Requests(url, options.credentials, options.region);
    super(url, (client, asked) => requests.ask(client, asked), options, progress);
  }
}
