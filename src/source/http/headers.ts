import { TransferError } from '../../base/errors.ts';
import type { Login } from '../../base/login.ts';

/**
 * Parses header lines (`Name: value`).
 *
 * @returns values by name in lower case, so that a header that is given twice, or that the client sets as well, is sent
 * once
 * @throws TransferError InvalidRequest, which does not show the line
 */
export function parseHeaders(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(lines.map(parseHeaderLine));
}

function parseHeaderLine(line: string): [name: string, value: string] {
  const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*)$/.exec(line.trim());
  if (match?.[1] === undefined || match[2] === undefined) {
    throw new TransferError('InvalidRequest', 'an extra header is not of the form "Name: value"');
  }
  return [match[1].toLowerCase(), match[2].trimEnd()];
}

export function basicAuthorization({ user, password }: Login): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}
