/** Longer strings hardly ever occur twice. */
const LENGTH_MAX = 64;
/** Most strings occur once, such as uids: so many are remembered, and then the search for repetitions begins anew. */
const REMEMBERED_MAX = 4096;

/**
 * Makes objects ready to be kept by the thousand: equal strings in them, such as labels, class names and phases, become
 * one string in memory, and nobody can change them any more.
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
