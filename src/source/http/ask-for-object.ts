import type { Login } from '../../base/login.ts';
import type { HttpClient, HttpRequest, HttpResponse } from './client.ts';
import { basicAuthorization, parseHeaders } from './headers.ts';

/** What one request for an object has besides what all requests for it have. */
export interface AskedOfObject extends Pick<HttpRequest, 'place' | 'signal'> {
  /** GET by default. */
  method?: 'GET' | 'HEAD';
  headers: Record<string, string>;
}

/** Requests an object. The kinds of servers differ in how that is done. */
export type AskForObject = (client: HttpClient, asked: AskedOfObject) => Promise<HttpResponse>;

export interface PlainObjectOptions {
  /** Lines of the form `Name: value`, which are not sent to other origins after redirects. */
  headers?: readonly string[];
  /** More such lines, which take precedence. */
  secretHeaders?: readonly string[];
  credentials?: Login | undefined;
}

/**
 * Returns how a file of a web server is requested.
 *
 * @throws TransferError InvalidRequest where a line is no header
 */
export function askPlainly(url: URL, options: PlainObjectOptions): AskForObject {
  const confidentialHeaders = parseHeaders([...(options.headers ?? []), ...(options.secretHeaders ?? [])]);
  const credentials = options.credentials ?? credentialsOf(url);
  if (credentials !== undefined) confidentialHeaders['authorization'] ??= basicAuthorization(credentials);
  return (client, asked) => client.request(url, { ...asked, confidentialHeaders });
}

function credentialsOf(url: URL): Login | undefined {
  if (url.username === '') return undefined;
  return { user: decodeURIComponent(url.username), password: decodeURIComponent(url.password) };
}
