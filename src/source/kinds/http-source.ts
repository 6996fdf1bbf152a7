import type { Progress } from '../../base/progress.ts';
import { askPlainly, type PlainObjectOptions } from '../http/ask-for-object.ts';
import { parseHttpUrl } from '../http/location.ts';
import { WebObject, type WebObjectOptions } from './web-object.ts';

export interface HttpSourceOptions extends WebObjectOptions, PlainObjectOptions {
  url: string;
}

/** A file on a web server. */
export class HttpSource extends WebObject {
  constructor(options: HttpSourceOptions, progress: Progress) {
    const url = parseHttpUrl(options.url);
    super(url, askPlainly(url, options), options, progress);
  }
}
