/** Longest header in characters; a realm, a service and a scope have a few hundred. */
const LONGEST = 8192;

const separators = /[\s,]*/y;
const token = /[!#$%&'*+.^`|~\w-]{1,64}/y;
const value = /[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*))/y;
const token68 = /[ \t]+[\w.~+/-]+=*(?=[ \t]*(?:,|$))/y;

/** One of the ways to authenticate to a server: RFC 9110 section 11.6.1. */
export interface Challenge {
  /** Scheme in lower case. */
  scheme: string;
  /** Parameters by name in lower case. */
  parameters: ReadonlyMap<string, string>;
}

/**
 * Parses WWW-Authenticate, which may contain several challenges, each with its own parameters. Anything else is
 * skipped.
 */
export function parseChallenges(header: string | undefined): Challenge[] {
  const text = header?.slice(0, LONGEST) ?? '';
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found !== null) at = pattern.lastIndex;
    return found;
  };
  while (take(separators) !== null && at < text.length) {
    const name = take(token)?.[0].toLowerCase();
    const parameters = challenges.at(-1)?.parameters;
    const found = name === undefined ? null : take(value);
    if (name === undefined) {
      at += 1;
    } else if (found === null) {
      challenges.push({ scheme: name, parameters: new Map() });
      take(token68);
    } else if (parameters?.has(name) === false) {
      parameters.set(name, found[1]?.replace(/\\(.)/g, '$1') ?? found[2] ?? '');
    }
  }
  return challenges;
}
