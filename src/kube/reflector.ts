import type { Logger } from '../base/logger.ts';
import { Backoff, type BackoffOptions } from './backoff.ts';
import type { KubeClient, Selection } from './client.ts';
import { delay } from './delay.ts';
import { ApiError, isGone, isNotFound, retryAfter, toError } from './errors.ts';
import type { Metrics } from '../server/metrics.ts';
import type { KubeObject, Resource } from './resource.ts';
import type { WatchEvent } from './watch-stream.ts';

const PAGE_SIZE = 500;
/** After so many watches of which nothing came, not even a bookmark, a list finds out whether that is true. */
const QUIET_WATCHES = 10;
/** A watch that ends sooner than this counts as a failure, however politely it ends. */
const SHORT_WATCH_MS = 5_000;

/** Where a reflector puts what it sees. */
export interface Sink<T extends KubeObject> {
  /** Makes an object that was just received ready to be kept; called once for each, before the others. */
  admit(object: T): T;
  /** The complete collection, as it is now. */
  replace(objects: T[]): void;
  change(event: WatchEvent<T>): void;
}

export interface ReflectorOptions extends Selection {
  /** Whether a resource that the server does not serve counts as one without objects. It is looked for again with back-off. */
  readonly mayBeAbsent: boolean;
  /** How long the server should keep one watch: between this and twice this, so that watches do not end all at once. */
  readonly watchSeconds: number;
  /**
   * Milliseconds of silence after which a connection is given up. Best longer than a watch can last: the server sends bookmarks about
   * once a minute, but none for a resource that has not changed since it was started.
   */
  readonly idleTimeout: number;
  readonly backoff: BackoffOptions;
}

/**
 * done: the server's time was up. short: it ended at once. broken: the connection was lost, or silent for too long. refused: an error
 * answer, or an error inside the stream. expired: that error is 410. unserved: the server was not reached, or too busy.
 */
type WatchEnd = 'done' | 'short' | 'broken' | 'refused' | 'unserved' | 'expired';

/**
 * Lists a resource and then watches it, for as long as it runs, whatever happens to the connection. It goes on from the version
 * that it has; it lists again when the server says that the version is gone, and when watches from one version came to
 * nothing: twice if they broke, often if they just ended. Not every server, and no proxy in between, says so.
 */
export class Reflector<T extends KubeObject> {
  readonly #client: KubeClient;
  readonly #resource: Resource<T>;
  readonly #sink: Sink<T>;
  readonly #options: ReflectorOptions;
  readonly #logger: Logger;
  readonly #metrics: Metrics;
  readonly #label: string;
  readonly #backoff: Backoff;
  /** Undefined: the next step is a list. */
  #version: string | undefined;
  /** A watch from this version ended abnormally. */
  #suspect: string | undefined;
  /** Watches in a row of which nothing came. */
  #quiet = 0;
  #pageSize = PAGE_SIZE;
  #lastContact = performance.now();

  constructor(
    client: KubeClient,
    resource: Resource<T>,
    sink: Sink<T>,
    options: ReflectorOptions & { logger: Logger; metrics: Metrics; label: string },
  ) {
    this.#client = client;
    this.#resource = resource;
    this.#sink = sink;
    this.#options = options;
    this.#logger = options.logger;
    this.#metrics = options.metrics;
    this.#label = options.label;
    this.#backoff = new Backoff(options.backoff);
  }

  /** Milliseconds since the server last sent something. */
  get silence(): number {
    return performance.now() - this.#lastContact;
  }

  /** Resolves once the signal is aborted; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const started = performance.now();
      const failure = await this.#step(signal);
      if (signal.aborted) return;
      const lasted = performance.now() - started;
      if (lasted >= SHORT_WATCH_MS) this.#backoff.reset();
      if (failure === undefined) continue;
      await delay(Math.max(this.#backoff.next(), retryAfter(failure)), signal);
    }
  }

  /** One list or one watch. @returns what went wrong, if something did */
  async #step(signal: AbortSignal): Promise<Error | undefined> {
    return this.#version === undefined ? this.#list(signal) : this.#watch(this.#version, signal);
  }

  async #list(signal: AbortSignal): Promise<Error | undefined> {
    try {
      const objects: T[] = [];
      let version = '';
      for await (const page of this.#client.pages(this.#resource, {
        ...this.#options,
        pageSize: this.#pageSize,
        signal,
      })) {
        this.#contact();
        for (const item of page.items) objects.push(this.#sink.admit(item));
        version = page.resourceVersion;
      }
      this.#metrics.informerLists.inc({ informer: this.#label });
      this.#sink.replace(objects);
      this.#version = version;
      this.#suspect = undefined;
      this.#quiet = 0;
      this.#pageSize = PAGE_SIZE;
      return undefined;
    } catch (error) {
      if (this.#options.mayBeAbsent && isNotFound(error)) {
        this.#contact();
        this.#sink.replace([]);
        return toError(error);
      }
      // The server forgot the version between two pages: with larger ones the list takes fewer round trips.
      if (isGone(error)) this.#pageSize *= 4;
      if (!signal.aborted) this.#logger.warn('listing failed', { step: 'list', error: toError(error).message });
      return toError(error);
    }
  }

  async #watch(version: string, signal: AbortSignal): Promise<Error | undefined> {
    const started = performance.now();
    let opened = false;
    try {
      for await (const event of this.#client.watch(this.#resource, {
        ...this.#options,
        resourceVersion: version,
        timeoutSeconds: Math.ceil(this.#options.watchSeconds * (1 + Math.random())),
        signal,
        onOpen: () => {
          opened = true;
          this.#contact();
        },
      })) {
        this.#contact();
        this.#quiet = 0;
        const { resourceVersion } = event.object.metadata ?? {};
        if (event.type !== 'BOOKMARK') this.#sink.change({ type: event.type, object: this.#sink.admit(event.object) });
        this.#version = resourceVersion ?? this.#version;
      }
      const short = performance.now() - started < Math.min(SHORT_WATCH_MS, this.#options.watchSeconds * 1000);
      return this.#ended(short ? 'short' : 'done', new Error('the server ended the watch at once'));
    } catch (error) {
      if (signal.aborted) return undefined;
      return this.#ended(endOf(error, opened), toError(error));
    }
  }

  /** Decides what the end of a watch means for the version that the next one would start from. */
  #ended(end: WatchEnd, error: Error): Error | undefined {
    this.#metrics.informerWatchEnds.inc({ informer: this.#label, reason: end });
    switch (end) {
      case 'done':
        this.#suspect = undefined;
        if (++this.#quiet > QUIET_WATCHES) this.#version = undefined;
        return undefined;
      case 'expired':
        this.#version = undefined;
        break;
      case 'unserved':
        // Which says nothing about the version.
        break;
      default:
        if (this.#suspect === this.#version) this.#version = undefined;
        else this.#suspect = this.#version;
    }
    this.#logger.info('watch ended', {
      step: 'watch',
      end,
      error: error.message,
      listAgain: this.#version === undefined,
    });
    return error;
  }

  #contact(): void {
    this.#lastContact = performance.now();
    this.#metrics.informerLastEvent.set({ informer: this.#label }, Date.now() / 1000);
  }
}

function endOf(error: unknown, opened: boolean): WatchEnd {
  if (isGone(error)) return 'expired';
  if (error instanceof ApiError) return error.status === 429 ? 'unserved' : 'refused';
  return opened ? 'broken' : 'unserved';
}
