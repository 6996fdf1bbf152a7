import { TransferError } from '../../base/errors.ts';
import { printableText } from '../../base/printable.ts';

/** Longest path in a message, in characters; names of objects are not longer. */
const LONGEST_SHOWN_PATH = 1024;

/**
 * Formats a URL for messages: without user, password, query and fragment, which may contain secrets, and of limited
 * length.
 */
export function describeUrl({ protocol, host, pathname }: URL): string {
  return `${protocol}//${host}${printableText(pathname, LONGEST_SHOWN_PATH)}`;
}

/**
 * @param given the user's text, for a source of the http family
 * @throws TransferError InvalidUrl
 */
export function parseHttpUrl(given: string): URL {
  let url: URL;
  try {
    url = new URL(given);
  } catch (error) {
    throw new TransferError('InvalidUrl', 'the source URL cannot be parsed: it should be https://host/path', {
      cause: error,
    });
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new TransferError('InvalidUrl', `the source URL's scheme is ${url.protocol} and should be http: or https:`);
  }
  return url;
}
