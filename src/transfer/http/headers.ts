import { TransferError } from '../errors.ts';

/** What a browser would not send along to another site either. */
const confidentialNames = new Set(['authorization', 'proxy-authorization', 'cookie', 'cookie2', 'x-auth-token']);

export interface SplitHeaders {
  headers: Record<string, string>;
  confidentialHeaders: Record<string, string>;
}

/**
 * Sorts header lines (`Name: value`) by whether another site may see them after a redirect.
 *
 * @param lines given in the open
 * @param secretLines given as secrets, so that all of them are confidential
 * @throws TransferError InvalidRequest, which does not show the line
 */
export function splitHeaders(lines: string[], secretLines: string[]): SplitHeaders {
  const result: SplitHeaders = { headers: {}, confidentialHeaders: {} };
  for (const [name, value] of lines.map(parseHeaderLine)) {
    const kind = confidentialNames.has(name) ? 'confidentialHeaders' : 'headers';
    result[kind][name] = value;
  }
  for (const [name, value] of secretLines.map(parseHeaderLine)) result.confidentialHeaders[name] = value;
  return result;
}

function parseHeaderLine(line: string): [name: string, value: string] {
  const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*)$/.exec(line.trim());
  if (match?.[1] === undefined || match[2] === undefined) {
    throw new TransferError('InvalidRequest', 'an extra header is not of the form "Name: value"');
  }
  // In lower case, so that one given twice, or by us as well, is sent once.
  return [match[1].toLowerCase(), match[2].trimEnd()];
}

export function basicAuthorization({ user, password }: { user: string; password: string }): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}
