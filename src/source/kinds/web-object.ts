import { defaultPatience, type PatienceOptions } from '../../base/patience.ts';
import type { Progress } from '../../base/progress.ts';
import type { OpenedSource, RangeReader, Source } from '../../base/source.ts';
import type { AskForObject } from '../http/ask-for-object.ts';
import { HttpClient, type HttpClientOptions } from '../http/client.ts';
import { describeUrl } from '../http/location.ts';
import { ResumableObject } from '../http/resumable-object.ts';

export interface WebObjectOptions extends Omit<HttpClientOptions, 'signal'> {
  patience?: PatienceOptions;
  /** Most connections to use. */
  connections?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** An object with an http(s) URL. The kinds of servers differ in how the object is requested. */
export class WebObject implements Source {
  readonly location: string;
  readonly #client: HttpClient;
  readonly #object: ResumableObject;
  readonly #closing = new AbortController();

  constructor(url: URL, ask: AskForObject, options: WebObjectOptions, progress: Progress) {
    this.location = describeUrl(url);
    const { signal: closing } = this.#closing;
    const signal = options.signal === undefined ? closing : AbortSignal.any([options.signal, closing]);
    const client = new HttpClient({ ...options, signal });
    this.#client = client;
    this.#object = new ResumableObject({
      url,
      progress,
      patience: options.patience ?? defaultPatience,
      signal,
      connections: options.connections,
      request: (headers, place) => ask(client, { headers, place }),
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
