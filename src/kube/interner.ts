/** Longest string that is interned, in characters; longer ones rarely occur twice. */
const LENGTH_MAX = 64;
/**
 * Number of strings that are remembered before the search for repetitions restarts, because most strings, such as UIDs,
 * occur once.
 */
const REMEMBERED_MAX = 4096;

/**
 * Prepares objects to be kept by the thousand: equal strings in them, such as labels, class names and phases, become
 * one string in memory, and the objects are frozen.
 */
export class Interner {
  readonly #strings = new Map<string, string>();

  /** @returns the object itself */
  intern<T>(value: T): T {
    if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
    const fields = value as Record<string, unknown>;
    for (const name of Object.keys(fields)) {
      const field = fields[name];
      if (typeof field === 'string') fields[name] = this.#one(field);
      else this.intern(field);
    }
    return Object.freeze(value);
  }

  #one(text: string): string {
    if (text.length > LENGTH_MAX) return text;
    const known = this.#strings.get(text);
    if (known !== undefined) return known;
    if (this.#strings.size >= REMEMBERED_MAX) this.#strings.clear();
    this.#strings.set(text, text);
    return text;
  }
}
