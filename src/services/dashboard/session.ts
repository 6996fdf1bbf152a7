import type { IncomingMessage } from 'node:http';

/**
 * The cookie with the token of whoever has logged in. Its prefix has browsers take it from this very host alone, over
 * TLS.
 */
const COOKIE = '__Host-diskpress-token';
/** In characters; browsers keep cookies of 4,096. */
export const LONGEST_COOKIE_TOKEN = 3_900;

/** What a bearer token may have (RFC 6750), all of which a cookie may have, too. */
const tokenSyntax = /^[A-Za-z0-9\-._~+/]+=*$/;

/** Returns the text of a bearer token, without spaces around it; undefined where it is none. */
export function asToken(text: string): string | undefined {
  const token = text.trim();
  return tokenSyntax.test(token) ? token : undefined;
}

/**
 * Returns the token of a request: that of its header Authorization, which an authenticating proxy may add, or else the
 * one that its user has logged in with.
 */
export function tokenOf({ headers }: Pick<IncomingMessage, 'headers'>): string | undefined {
  const [, bearer] = /^Bearer +(.*)$/i.exec(headers.authorization ?? '') ?? [];
  if (bearer !== undefined) return asToken(bearer);
  for (const pair of (headers.cookie ?? '').split(';')) {
    const [name = '', ...value] = pair.trim().split('=');
    if (name === COOKIE) return asToken(value.join('='));
  }
  return undefined;
}

const attributes = 'Path=/; Secure; HttpOnly; SameSite=Lax';

/** Returns the header that has a browser keep a token until it is closed. */
export const keepToken = (token: string): string => `${COOKIE}=${token}; ${attributes}`;

/** The header that has a browser forget the token. */
export const forgetToken = `${COOKIE}=; Max-Age=0; ${attributes}`;

/** Whether the token of a request is that of a login, which can be ended. */
export const hasLoggedIn = ({ headers }: Pick<IncomingMessage, 'headers'>): boolean =>
  headers.authorization === undefined;

/** Whether a browser was sent here by a page of another origin; other clients say nothing of it. */
export function isFromElsewhere({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  const { host = '', origin, 'sec-fetch-site': site } = headers;
  if (site !== undefined) return site !== 'same-origin';
  return origin !== undefined && URL.parse(origin)?.host !== host;
}
