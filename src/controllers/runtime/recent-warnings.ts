import { type Event, events } from '../../kube/builtin-resources.ts';
import type { KubeClient } from '../../kube/client.ts';
import { seenAt } from './newest-event.ts';

/** The least milliseconds for which a list is used. */
const LEAST_MILLISECONDS = 1_000;
/** A list is used for so many times as long as it took: a namespace with many events is listed less often. */
const TIMES_AS_LONG = 20;
const MOST_MILLISECONDS = 30_000;

/** What is kept of a Warning event, of which a namespace may have many thousands. */
export interface Warning {
  /** The uid of the object that it is about. */
  readonly about: string;
  readonly reason: string;
  readonly message: string;
  /** In milliseconds since the epoch. */
  readonly seenAt: number;
}

interface Listed {
  readonly warnings: Promise<ReadonlyMap<string, readonly Warning[]>>;
  /** Milliseconds since the epoch. */
  until: number;
}

/**
 * The Warning events of namespaces, by the uid of the object that they are about. One list serves all objects that wait
 * at the same time: the API server has no index of events, and reads all of a namespace for each list.
 */
export class RecentWarnings {
  readonly #client: Pick<KubeClient, 'list'>;
  readonly #lists = new Map<string, Listed>();

  constructor(client: Pick<KubeClient, 'list'>) {
    this.#client = client;
  }

  /**
   * Returns the Warning events about an object, as they were a moment ago.
   *
   * @param now milliseconds since the epoch
   */
  async about(namespace: string, uid: string, now: number): Promise<readonly Warning[]> {
    for (const [other, { until }] of this.#lists) if (until < now) this.#lists.delete(other);
    const listed = this.#lists.get(namespace) ?? this.#list(namespace, now);
    return (await listed.warnings).get(uid) ?? [];
  }

  #list(namespace: string, now: number): Listed {
    const started = performance.now();
    const listed: Listed = { warnings: this.#read(namespace), until: Infinity };
    this.#lists.set(namespace, listed);
    listed.warnings.then(
      () => {
        const took = performance.now() - started;
        listed.until = now + Math.min(MOST_MILLISECONDS, Math.max(LEAST_MILLISECONDS, TIMES_AS_LONG * took));
      },
      () => this.#lists.delete(namespace),
    );
    return listed;
  }

  async #read(namespace: string): Promise<ReadonlyMap<string, readonly Warning[]>> {
    const found = await this.#client.list(events, { namespace, fieldSelector: 'type=Warning' });
    return Map.groupBy(found.map(warningOf), ({ about }) => about);
  }
}

function warningOf(event: Event): Warning {
  const { reason = '', message = '', involvedObject } = event;
  return { about: involvedObject?.uid ?? '', reason, message, seenAt: seenAt(event) };
}
