/** What a controller wants to record about an object. */
export interface EventFacts {
  /** UID of the object, or another unique identifier of it. */
  readonly subject: string;
  readonly component: string;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

/** One Event object, and how often it has happened so far. */
export interface Series {
  readonly facts: EventFacts;
  /** Time of the first occurrence, in milliseconds since 1970. */
  readonly first: number;
  last: number;
  count: number;
  /** Name of the Event object; undefined until it is written. */
  name: string | undefined;
}

export interface CorrelatorLimits {
  /** Number of different messages for one reason and object, beyond which further ones are combined into one. */
  readonly similar: number;
  /** Number of writes about one object that may happen at once. */
  readonly burst: number;
  /** Milliseconds between further writes about one object, once the burst is used up. */
  readonly refill: number;
  /** Number of objects and series that are remembered; the oldest are forgotten first. */
  readonly remembered: number;
  /** Milliseconds of quiet after which a series is not continued. */
  readonly expiry: number;
}

export const DEFAULT_LIMITS: CorrelatorLimits = {
  similar: 10,
  burst: 25,
  refill: 300_000,
  remembered: 1024,
  expiry: 600_000,
};

/**
 * Decides what happens to an event: a repetition increments the count of the existing Event, many similar events become
 * one series, and events about one object that exceed its rate limit are only counted. It is pure except for its
 * memory; the caller supplies the time.
 */
export class EventCorrelator {
  readonly #limits: CorrelatorLimits;
  readonly #series = new Map<string, Series>();
  readonly #messages = new Map<string, { messages: Set<string>; last: number }>();
  readonly #tokens = new Map<string, { tokens: number; at: number }>();

  constructor(limits: CorrelatorLimits = DEFAULT_LIMITS) {
    this.#limits = limits;
  }

  /** @returns the series that the event belongs to, and whether it may be written now */
  correlate(facts: EventFacts, now: number): { series: Series; write: boolean } {
    const merged = this.#merge(facts, now);
    const key = [merged.subject, merged.component, merged.type, merged.reason, merged.message].join('\n');
    let series = this.#series.get(key);
    if (!series || now - series.last > this.#limits.expiry) {
      series = { facts: merged, first: now, last: now, count: 0, name: undefined };
    }
    series.count++;
    series.last = now;
    this.#remember(this.#series, key, series);
    return { series, write: this.#take(`${facts.subject}\n${facts.component}`, now) };
  }

  #merge(facts: EventFacts, now: number): EventFacts {
    const key = [facts.subject, facts.component, facts.type, facts.reason].join('\n');
    let group = this.#messages.get(key);
    if (!group || now - group.last > this.#limits.expiry) group = { messages: new Set(), last: now };
    group.last = now;
    this.#remember(this.#messages, key, group);
    if (group.messages.has(facts.message)) return facts;
    if (group.messages.size >= this.#limits.similar) {
      return { ...facts, message: `(combined from similar events) ${[...group.messages].at(-1)}` };
    }
    group.messages.add(facts.message);
    return facts;
  }

  #take(key: string, now: number): boolean {
    const { burst, refill } = this.#limits;
    const bucket = this.#tokens.get(key) ?? { tokens: burst, at: now };
    const tokens = Math.min(burst, bucket.tokens + (now - bucket.at) / refill);
    const write = tokens >= 1;
    this.#remember(this.#tokens, key, { tokens: write ? tokens - 1 : tokens, at: now });
    return write;
  }

  #remember<V>(map: Map<string, V>, key: string, value: V): void {
    // Setting the key again moves it to the end, so that the map keeps the order of last use.
    map.delete(key);
    map.set(key, value);
    if (map.size > this.#limits.remembered) map.delete(map.keys().next().value!);
  }
}
