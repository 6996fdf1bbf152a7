/** What is to be recorded, in the words of one controller about one object. */
export interface EventFacts {
  /** The uid of the object, or what else is unique to it. */
  readonly subject: string;
  readonly component: string;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

/** One Event object, and how often it has happened by now. */
export interface Series {
  readonly facts: EventFacts;
  /** Milliseconds since 1970. */
  readonly first: number;
  last: number;
  count: number;
  /** Where the Event object is; unset until it is written. */
  name: string | undefined;
}

export interface CorrelatorLimits {
  /** So many different messages for one reason about one object, then they become one. */
  readonly similar: number;
  /** Writes about one object that may come at once … */
  readonly burst: number;
  /** … and after that one in so many milliseconds. */
  readonly refill: number;
  /** Objects and series remembered; the oldest are forgotten first. */
  readonly remembered: number;
  /** A series that was quiet for so many milliseconds is not continued. */
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
 * Decides what becomes of an event: the same thing again counts up the Event that there is, many similar things become one series,
 * and what is too much about one object is only counted. Pure but for its memory; the time is given to it.
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
    // Written again at the end: the map stays in the order of last use.
    map.delete(key);
    map.set(key, value);
    if (map.size > this.#limits.remembered) map.delete(map.keys().next().value!);
  }
}
