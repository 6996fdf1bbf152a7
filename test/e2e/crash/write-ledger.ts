import type { Write } from './severable-api.ts';

const UID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;

/**
 * Knows which piece of work each write belongs to: from the name of the work in what is written, or from the uid of
 * something that was written for it before (owners, and names that carry a uid).
 */
export class WriteLedger {
  readonly #names: ReadonlySet<string>;
  readonly #namePattern: RegExp;
  readonly #workOfUid = new Map<string, string>();
  readonly #writes = new Map<string, Write[]>();

  /** @param names of the work, each of which occurs in nothing but what belongs to it */
  constructor(names: readonly string[]) {
    this.#names = new Set(names);
    this.#namePattern = new RegExp(`\\b(?:${names.join('|')})\\b`);
  }

  /** @returns the work's name and how many writes it has had with this one; undefined where it belongs to none */
  enter(write: Write): { name: string; count: number } | undefined {
    const text = JSON.stringify(write.answer);
    const uids = `${write.path} ${text}`.match(UID) ?? [];
    const name =
      this.#namePattern.exec(`${write.path} ${text}`)?.[0] ?? uids.map((uid) => this.#workOfUid.get(uid)).find(Boolean);
    if (name === undefined || !this.#names.has(name)) return undefined;
    const uid = write.answer.metadata?.uid;
    if (uid) this.#workOfUid.set(uid, name);
    const writes = this.#writes.get(name) ?? [];
    writes.push(write);
    this.#writes.set(name, writes);
    return { name, count: writes.length };
  }

  /** What was written for a piece of work, in order: `PATCH persistentvolumeclaims`. */
  of(name: string): readonly Write[] {
    return this.#writes.get(name) ?? [];
  }
}
