import { hostname } from 'node:os';
import pRetry from 'p-retry';
import type { Logger } from '../base/logger.ts';
import type { Metrics } from '../server/metrics.ts';
import { type Event, events } from './builtin-resources.ts';
import type { KubeClient } from './client.ts';
import { ConnectionError, isNotFound, toError } from './errors.ts';
import { type CorrelatorLimits, EventCorrelator, type Series } from './event-correlator.ts';
import type { KubeObject } from './resource.ts';

/** Most events that may wait to be written; further ones are dropped. */
const BACKLOG_MAX = 1000;
/** Longest message in characters; the API server refuses longer ones. */
const MESSAGE_MAX = 1024;

export interface EventRecorderOptions {
  /** Reporting component, unless an event gives its own. */
  readonly component: string;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly limits?: CorrelatorLimits;
}

/**
 * Writes core/v1 Events, which `kubectl describe` shows. A repeated event increments the count of the existing one, and
 * the number of writes about one object is limited. Nothing here throws or waits: events are for people, and no work
 * depends on them.
 */
export class EventRecorder {
  readonly #client: KubeClient;
  readonly #options: EventRecorderOptions;
  readonly #correlator: EventCorrelator;
  /** Series with something to write, each once, with the object that they are about. */
  readonly #backlog = new Map<Series, KubeObject>();
  #writing: Promise<void> | undefined;
  #names = 0;

  constructor(client: KubeClient, options: EventRecorderOptions) {
    this.#client = client;
    this.#options = options;
    this.#correlator = new EventCorrelator(options.limits);
  }

  /**
   * Records an event.
   *
   * @param object the object, with its apiVersion, kind and metadata; events of cluster-scoped objects are in the
   * namespace default
   */
  event(
    object: KubeObject,
    event: { type: 'Normal' | 'Warning'; reason: string; message: string; component?: string },
  ): void {
    const { uid, namespace = '', name = '' } = object.metadata ?? {};
    const { series, write } = this.#correlator.correlate(
      {
        subject: [object.apiVersion, object.kind, namespace, name, uid].join('/'),
        component: event.component ?? this.#options.component,
        type: event.type,
        reason: event.reason,
        message: shorten(event.message),
      },
      Date.now(),
    );
    if (!write || (this.#backlog.size >= BACKLOG_MAX && !this.#backlog.has(series))) {
      this.#options.metrics.events.inc({ result: 'suppressed' });
      return;
    }
    this.#backlog.set(series, object);
    this.#writing ??= this.#drain();
  }

  /** Resolves when the events recorded so far have been written, or have failed. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  async #drain(): Promise<void> {
    for (const [series, object] of this.#backlog) {
      this.#backlog.delete(series);
      try {
        await pRetry(() => this.#write(series, object), {
          retries: 4,
          minTimeout: 500,
          randomize: true,
          unref: true,
          shouldRetry: ({ error }) => error instanceof ConnectionError,
        });
        this.#options.metrics.events.inc({ result: 'written' });
      } catch (error) {
        this.#options.metrics.events.inc({ result: 'failed' });
        this.#options.logger.warn('an event could not be written', {
          step: 'event',
          reason: series.facts.reason,
          error: toError(error).message,
        });
      }
    }
    this.#writing = undefined;
  }

  async #write(series: Series, object: KubeObject): Promise<void> {
    const namespace = object.metadata?.namespace ?? 'default';
    if (series.name !== undefined) {
      const patch = { count: series.count, lastTimestamp: timestamp(series.last) };
      try {
        await this.#client.mergePatch(events, { namespace, name: series.name }, patch);
        return;
      } catch (error) {
        // The server forgets events after an hour; this one has to be created again.
        if (!isNotFound(error)) throw error;
      }
    }
    const name = this.#newName(object);
    await this.#client.create(events, { ...this.#eventOf(series, object), metadata: { namespace, name } });
    series.name = name;
  }

  #eventOf(series: Series, object: KubeObject): Omit<Event, 'metadata'> {
    const { component, type, reason, message } = series.facts;
    const { name, namespace, uid, resourceVersion } = object.metadata ?? {};
    return {
      involvedObject: definedOnly({
        apiVersion: object.apiVersion,
        kind: object.kind,
        name,
        namespace,
        uid,
        resourceVersion,
      }),
      type,
      reason,
      message,
      source: { component },
      reportingComponent: component,
      reportingInstance: hostname(),
      firstTimestamp: timestamp(series.first),
      lastTimestamp: timestamp(series.last),
      count: series.count,
    };
  }

  #newName(object: KubeObject): string {
    const unique = `${Date.now().toString(16)}${(this.#names++ % 4096).toString(16).padStart(3, '0')}${process.pid.toString(16)}`;
    return `${(object.metadata?.name ?? 'unnamed').slice(0, 220)}.${unique}`;
  }
}

function shorten(message: string): string {
  return message.length <= MESSAGE_MAX ? message : `${message.slice(0, MESSAGE_MAX - 1)}…`;
}

/** Formats a time in RFC 3339 with whole seconds, as the API's type Time has it. */
function timestamp(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}

function definedOnly<T extends object>(object: T): { [Field in keyof T]?: NonNullable<T[Field]> } {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as {
    [Field in keyof T]?: NonNullable<T[Field]>;
  };
}
