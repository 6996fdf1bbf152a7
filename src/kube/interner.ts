/** Longest string that is interned, in characters; longer ones rarely occur twice. */
const LENGTH_MAX = 64;
/**
 * Number of strings that are remembered before the search for repetitions restarts, because most strings, such as UIDs,
 * occur once.
 */
const REMEMBERED_MAX = 4096;

type Fields = Record<string, unknown>;

/**
 * Prepares objects to be kept by the thousand: equal strings in them, such as labels, class names and phases, become
 * one string in memory, and the objects are frozen. Parts that are equal to those of another object, such as the labels
 * or the spec of objects from one template, become one part.
 */
export class Interner {
  readonly #strings = new Map<string, string>();
  #latest: unknown;

  /**
   * @param known what is kept of an earlier state of the object, if anything
   * @returns the object itself, or `known` where that is equal
   */
  intern<T>(value: T, known?: T): T {
    const interned = this.#intern(value, known, this.#latest);
    this.#latest = interned;
    return interned as T;
  }

  #intern(value: unknown, known: unknown, latest: unknown): unknown {
    if (typeof value === 'string') return value === known ? known : value === latest ? latest : this.#one(value);
    if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
    const fields = value as Fields;
    const [like, other] = [alike(fields, known), alike(fields, latest)];
    let isKnown = like !== undefined;
    let isLatest = other !== undefined;
    const names = Object.keys(fields);
    for (const name of names) {
      const field = fields[name];
      const [knownField, latestField] = [ownField(like, name), ownField(other, name)];
      const interned = this.#intern(field, knownField, latestField);
      if (interned !== field || typeof field === 'string') fields[name] = interned;
      isKnown &&= interned === knownField && hasField(like, name);
      isLatest &&= interned === latestField && hasField(other, name);
    }
    if (isKnown && Object.keys(like ?? {}).length === names.length) return like;
    if (isLatest && Object.keys(other ?? {}).length === names.length) return other;
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

/** Returns a field of an object, and nothing that all objects inherit, such as what `__proto__` names. */
function ownField(of: Fields | undefined, name: string): unknown {
  return hasField(of, name) ? of[name] : undefined;
}

function hasField(of: Fields | undefined, name: string): of is Fields {
  return of !== undefined && Object.hasOwn(of, name);
}

/** Returns what could be equal to an object or array, and undefined where it could not. */
function alike(fields: Fields, other: unknown): Fields | undefined {
  const isAlike = typeof other === 'object' && other !== null && Array.isArray(other) === Array.isArray(fields);
  return isAlike ? (other as Fields) : undefined;
}
