import type { Logger } from '../base/logger.ts';
import type { Metrics } from '../server/metrics.ts';
import { Backoff, type BackoffOptions } from './backoff.ts';
import type { KubeClient, Selection } from './client.ts';
import { delay } from './delay.ts';
import { ApiError, isGone, isNotFound, retryAfter, toError } from './errors.ts';
import { type KubeObject, type Resource, versionNumber } from './resource.ts';
import type { WatchEvent } from './watch-stream.ts';

const PAGE_SIZE = 500;
/** How much longer the delays after which a resource that is not installed is looked for may get than others. */
const ABSENT_TIMES_AS_LONG = 6;
/** Number of watches without any event, not even a bookmark, after which a list verifies that nothing has changed. */
const QUIET_WATCHES = 10;
/** Shortest regular watch in milliseconds; one that ends sooner counts as a failure, even if it ends cleanly. */
const SHORT_WATCH_MILLISECONDS = 5_000;

/** Receives what a reflector observes. */
export interface Sink<T extends KubeObject> {
  /** Prepares a listed object for being kept. */
  admit(object: T): T;
  /**
   * Replaces all objects by the complete collection as it was at a version, which was admitted.
   *
   * @param version as a number; Infinity where the server does not serve the resource
   */
  replace(objects: T[], version: number): void;
  /** Takes a change as the server sent it. */
  change(event: WatchEvent<T>): void;
  /** Whether a change to this version need not be told. */
  isKnown(resourceVersion: string): boolean;
}

export interface ReflectorOptions extends Selection {
  /**
   * Whether a resource that the server does not serve counts as one without objects. The reflector retries it with
   * back-off.
   */
  readonly mayBeAbsent: boolean;
  /**
   * Seconds that the server should keep one watch. The actual time is between this and twice this, so that watches do
   * not all end at once.
   */
  readonly watchSeconds: number;
  /**
   * Milliseconds of silence after which a connection is abandoned. It should exceed the longest watch: the server sends
   * bookmarks about once a minute, but none for a resource that has not changed since the server started.
   */
  readonly idleTimeout: number;
  readonly backoff: BackoffOptions;
}

/**
 * How a watch ended. done: the server's time was up. short: it ended at once. broken: the connection was lost, or
 * silent for too long. refused: an error answer, or an error inside the stream. expired: that error is 410. unserved:
 * the server was unreachable, or too busy.
 */
type WatchEnd = 'done' | 'short' | 'broken' | 'refused' | 'unserved' | 'expired';

/**
 * Lists a resource and then watches it until it is stopped, whatever happens to the connection. It resumes from the
 * last version it has seen; it lists again when the server reports that the version is gone, and when watches from one
 * version yield nothing: after two that broke, or after many that just ended. Not every server, and no proxy in
 * between, reports that a version is gone.
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
  readonly #absence: Backoff;
  /** Version to watch from; undefined when the next step is a list. */
  #version: string | undefined;
  #latest = 0;
  /** Version from which a watch ended abnormally. */
  #suspect: string | undefined;
  /** Number of consecutive watches without any event. */
  #quiet = 0;
  #pageSize = PAGE_SIZE;
  #isAbsent = false;
  #lastContact = performance.now();
  /** Milliseconds since 1970. */
  #lastEvent: number | undefined;

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
    this.#absence = new Backoff({ ...options.backoff, max: ABSENT_TIMES_AS_LONG * options.backoff.max });
    options.metrics.onCollect(() => {
      if (this.#lastEvent === undefined) return;
      this.#metrics.informerLastEvent.set({ informer: this.#label }, this.#lastEvent / 1000);
    });
  }

  /** Milliseconds since the server last sent anything. */
  get silence(): number {
    return performance.now() - this.#lastContact;
  }

  /** The latest version, as a number, up to which everything has been received; whatever is later will be. */
  get latest(): number {
    return this.#latest;
  }

  /** Resolves once the signal is aborted; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const started = performance.now();
      const failure = await this.#step(signal);
      if (signal.aborted) return;
      const lasted = performance.now() - started;
      if (lasted >= SHORT_WATCH_MILLISECONDS) this.#backoff.reset();
      if (failure === undefined) continue;
      const backoff = this.#isAbsent ? this.#absence : this.#backoff;
      await delay(Math.max(backoff.next(), retryAfter(failure)), signal);
    }
  }

  /**
   * Performs one list or one watch.
   *
   * @returns what failed, if anything
   */
  async #step(signal: AbortSignal): Promise<Error | undefined> {
    return this.#version === undefined ? this.#list(signal) : this.#watch(this.#version, signal);
  }

  async #list(signal: AbortSignal): Promise<Error | undefined> {
    this.#isAbsent = false;
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
      this.#sink.replace(objects, versionNumber(version));
      this.#reached(version);
      this.#suspect = undefined;
      this.#quiet = 0;
      this.#pageSize = PAGE_SIZE;
      this.#absence.reset();
      return undefined;
    } catch (error) {
      if (this.#options.mayBeAbsent && isNotFound(error)) {
        this.#isAbsent = true;
        this.#contact();
        this.#sink.replace([], Infinity);
        return toError(error);
      }
      // The server dropped the version between two pages: with larger pages, the list takes fewer round trips.
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
        isKnown: (known) => this.#sink.isKnown(known),
        onOpen: () => {
          opened = true;
          this.#contact();
        },
      })) {
        this.#contact();
        this.#quiet = 0;
        const { resourceVersion } = event.object.metadata ?? {};
        if (event.type !== 'BOOKMARK') this.#sink.change(event);
        this.#reached(resourceVersion ?? this.#version);
      }
      const short = performance.now() - started < Math.min(SHORT_WATCH_MILLISECONDS, this.#options.watchSeconds * 1000);
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
        // An unreachable server indicates nothing about the version.
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

  #reached(version: string | undefined): void {
    this.#version = version;
    this.#latest = Math.max(this.#latest, versionNumber(version));
  }

  #contact(): void {
    this.#lastContact = performance.now();
    this.#lastEvent = Date.now();
  }
}

function endOf(error: unknown, opened: boolean): WatchEnd {
  if (isGone(error)) return 'expired';
  if (error instanceof ApiError) return error.status === 429 ? 'unserved' : 'refused';
  return opened ? 'broken' : 'unserved';
}
