import { HttpClient } from '../http/client.ts';
import { basicAuthorization, splitHeaders } from '../http/headers.ts';
import { describeUrl, parseHttpUrl } from '../http/location.ts';
import { ResumableObject } from '../http/resumable-object.ts';
import { defaultPatience, type PatienceOptions } from '../patience.ts';
import type { Progress } from '../progress.ts';
import type { OpenedSource, RangeReader, Source } from '../source.ts';

export interface HttpSourceOptions {
  url: string;
  /** Lines of the form `Name: value`. */
  headers?: string[];
  /** The same, kept from other sites that the server redirects to. */
  secretHeaders?: string[];
  credentials?: { user: string; password: string } | undefined;
  /** Folder with PEM certificates to trust besides the system's. */
  certificatesDirectory?: string | undefined;
  insecureSkipVerify?: boolean;
  patience?: PatienceOptions;
  /** How long the server may be silent in the middle of a body, in milliseconds. */
  stallTimeout?: number;
  /** How many connections to use at most. */
  connections?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** A file on a web server. */
export class HttpSource implements Source {
  readonly location: string;
  readonly #client: HttpClient;
  readonly #object: ResumableObject;
  readonly #closing = new AbortController();

  constructor(options: HttpSourceOptions, progress: Progress) {
    const url = parseHttpUrl(options.url);
    this.location = describeUrl(url);
    const { headers, confidentialHeaders } = splitHeaders(options.headers ?? [], options.secretHeaders ?? []);
    const credentials = options.credentials ?? credentialsOf(url);
    if (credentials !== undefined) confidentialHeaders['authorization'] ??= basicAuthorization(credentials);
    const { signal: closing } = this.#closing;
    const signal = options.signal === undefined ? closing : AbortSignal.any([options.signal, closing]);
    this.#client = new HttpClient({ ...options, signal });
    this.#object = new ResumableObject({
      url,
      progress,
      patience: options.patience ?? defaultPatience,
      signal,
      connections: options.connections,
      request: (more) => this.#client.request(url, { headers: { ...headers, ...more }, confidentialHeaders }),
    });
  }

  async open(head?: number): Promise<OpenedSource> {
    return this.#object.open(head);
  }

  async openRanges(): Promise<RangeReader | undefined> {
    return this.#object.openRanges();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#client.close();
  }
}

function credentialsOf(url: URL): { user: string; password: string } | undefined {
  if (url.username === '') return undefined;
  return { user: decodeURIComponent(url.username), password: decodeURIComponent(url.password) };
}
