export interface StartTag {
  /** Name without its namespace. */
  name: string;
  /** Attributes by their names without namespaces. */
  attributes: ReadonlyMap<string, string>;
}

/** Sections that contain no tags, from their start to their end. */
const skipped: readonly (readonly [start: string, end: string])[] = [
  ['<!--', '-->'],
  ['<![CDATA[', ']]>'],
  ['<?', '?>'],
  ['<!', '>'],
  ['</', '>'],
];
const LAST_CODE_POINT = 0x10ffff;
const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/**
 * Yields the start tags of an XML document, in order. Each step moves forward or stops, so that the time is linear in
 * the length of the document.
 *
 * @returns whether the document ended properly
 */
export function* startTags(text: string): Generator<StartTag, boolean> {
  for (let at = text.indexOf('<'); at >= 0; at = text.indexOf('<', at)) {
    const other = skipped.find(([start]) => text.startsWith(start, at));
    if (other !== undefined) {
      const [start, end] = other;
      const found = text.indexOf(end, at + start.length);
      if (found < 0) return false;
      at = found + end.length;
      continue;
    }
    const tag = new TagReader(text, at + 1);
    const name = tag.name();
    const attributes = tag.attributes();
    if (attributes === undefined) return false;
    at = tag.position;
    if (name !== undefined) yield { name, attributes };
  }
  return true;
}

class TagReader {
  readonly #text: string;
  #at: number;

  constructor(text: string, at: number) {
    this.#text = text;
    this.#at = at;
  }

  get position(): number {
    return this.#at;
  }

  /** Reads a name; undefined where there is none. */
  name(): string | undefined {
    const name = this.#take(/[^\s/>=<"']+/y);
    return name?.slice(name.lastIndexOf(':') + 1);
  }

  /** Reads up to the end of the tag; undefined where it has none. */
  attributes(): Map<string, string> | undefined {
    const attributes = new Map<string, string>();
    for (;;) {
      this.#take(/\s+/y);
      const next = this.#text[this.#at];
      if (next === undefined) return undefined;
      if (next === '>' || next === '<') return attributes;
      const key = this.name();
      if (key === undefined) {
        this.#at += 1;
        continue;
      }
      if (this.#take(/\s*=\s*/y) === undefined) continue;
      const quote = this.#text[this.#at];
      if (quote !== '"' && quote !== "'") continue;
      const end = this.#text.indexOf(quote, this.#at + 1);
      if (end < 0) return undefined;
      attributes.set(key, unescape(this.#text.slice(this.#at + 1, end)));
      this.#at = end + 1;
    }
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }
}

/** Decodes named and numeric character references (XML 1.0 section 4.1). */
function unescape(value: string): string {
  return value.replaceAll(
    /&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(\w{1,8}));/gi,
    (reference, decimal?: string, hex?: string, its?: string) => {
      if (its !== undefined) return entities[its] ?? reference;
      const codePoint = Number.parseInt(decimal ?? hex ?? '', decimal === undefined ? 16 : 10);
      return codePoint > 0 && codePoint <= LAST_CODE_POINT ? String.fromCodePoint(codePoint) : reference;
    },
  );
}
