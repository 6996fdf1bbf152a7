/** In characters; a realm, a service and a scope are a few hundred. */
const LONGEST = 8192;

/** What a registry that wants a token says of where there are some: https://distribution.github.io/distribution/spec/auth/token/ */
export interface BearerChallenge {
  realm: string | undefined;
  service: string | undefined;
}

/** Reads WWW-Authenticate; undefined where it asks for no token. */
export function parseBearerChallenge(header: string | undefined): BearerChallenge | undefined {
  const challenge = header?.slice(0, LONGEST) ?? '';
  if (!/\bbearer\b/i.test(challenge)) return undefined;
  // From the beginning of a word on only, or a long one would be read again from each of its letters.
  const parameters = challenge.matchAll(/\b(\w{1,64})="([^"]*)"/g);
  const values = new Map([...parameters].map(([, name = '', value = '']) => [name.toLowerCase(), value]));
  return { realm: values.get('realm'), service: values.get('service') };
}
