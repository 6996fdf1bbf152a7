import type { Progress } from '../../base/progress.ts';
import { askGcs } from '../object-storage/ask-gcs.ts';
import { gcsObjectUrl } from '../object-storage/gcs-location.ts';
import { WebObject, type WebObjectOptions } from './web-object.ts';

export interface GcsSourceOptions extends WebObjectOptions {
  /** The URL of the object, or gs://bucket/object. */
  url: string;
  /** Text of a service account's credentials.json; without it the object is requested anonymously. */
  credentials?: string | undefined;
  /** Another server that gs:// refers to. */
  endpoint?: string | undefined;
}

/** An object of Google Cloud Storage. */
export class GcsSource extends WebObject {
  constructor(options: GcsSourceOptions, progress: Progress) {
    const url = gcsObjectUrl(options.url, options.endpoint);
    super(url, askGcs(url, options.credentials), options, progress);
  }
}
