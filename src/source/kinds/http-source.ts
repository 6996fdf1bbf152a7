import type { Login } from '../../base/login.ts';
import type { Progress } from '../../base/progress.ts';
import { basicAuthorization, parseHeaders } from '../http/headers.ts';
import { parseHttpUrl } from '../http/location.ts';
import { type AskForObject, WebObject, type WebObjectOptions } from './web-object.ts';

export interface HttpSourceOptions extends WebObjectOptions {
  url: string;
  /** Lines of the form `Name: value`, which are not sent to other origins after redirects. */
  headers?: readonly string[];
  /** More such lines, which take precedence. */
  secretHeaders?: readonly string[];
  credentials?: Login | undefined;
}

/** A file on a web server. */
export class HttpSource extends WebObject {
  constructor(options: HttpSourceOptions, progress: Progress) {
    const url = parseHttpUrl(options.url);
    super(url, askPlainly(url, options), options, progress);
  }
}

function askPlainly(url: URL, options: HttpSourceOptions): AskForObject {
  const confidentialHeaders = parseHeaders([...(options.headers ?? []), ...(options.secretHeaders ?? [])]);
  const credentials = options.credentials ?? credentialsOf(url);
  if (credentials !== undefined) confidentialHeaders['authorization'] ??= basicAuthorization(credentials);
  return (client, headers, place) => client.request(url, { headers, confidentialHeaders, place });
}

function credentialsOf(url: URL): Login | undefined {
  if (url.username === '') return undefined;
  return { user: decodeURIComponent(url.username), password: decodeURIComponent(url.password) };
}
