import { type IncomingHttpHeaders, STATUS_CODES } from 'node:http';
import { systemCode, TransferError, type TransferErrorCode } from '../../base/errors.ts';
import { formatBytes } from '../../base/format-bytes.ts';
import { LONGEST_FIELDS } from './head-limits.ts';
import { describeUrl } from './location.ts';
import { TooSlow } from './too-slow.ts';

const certificateCodes = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'HOSTNAME_MISMATCH',
  'INVALID_CA',
  'INVALID_PURPOSE',
]);

/**
 * Codes of the parser of `node:http` that only mean that the connection has ended, or was closed by this side. All its
 * other codes (HPE_…) are about what the server sends, and it would send that again.
 */
const passingParserCodes = new Set([
  'HPE_INVALID_EOF_STATE',
  'HPE_CLOSED_CONNECTION',
  'HPE_PAUSED',
  'HPE_PAUSED_UPGRADE',
  'HPE_PAUSED_H2_UPGRADE',
  'HPE_USER',
  'HPE_INTERNAL',
]);

/** The same as messages, because undici drops the code. */
const passingParserWords = /EOF state|paused|after `Connection: close`/i;

const http1Advice = 'let it speak HTTP/1.1 as well, or put a proxy that does before it';

/** Whether the response is not HTTP/1.1 at all. */
export function isNoHttp(error: unknown): boolean {
  return ['HPE_INVALID_CONSTANT', 'HPE_INVALID_VERSION', 'HTTP2_ONLY'].includes(systemCode(error) ?? '');
}

/** Whether a connection is open, but too little has arrived over it for too long. */
export function isStall(error: unknown): boolean {
  return ['UND_ERR_BODY_TIMEOUT', 'STALLED', 'TOO_SLOW'].includes(systemCode(error) ?? '');
}

/** Explains a failed connection or a broken body. */
export function connectionFailure(error: unknown, url: URL): TransferError {
  if (error instanceof TransferError) return error;
  const code = systemCode(error) ?? '';
  const fail = (kind: TransferErrorCode, message: string): TransferError =>
    new TransferError(kind, message, { cause: error });
  const where = describeUrl(url);
  if (certificateCodes.has(code) || code.startsWith('CERT_')) {
    const message = `${url.host} has a certificate that is not trusted (${code})`;
    return new TransferError('CertificateUntrusted', message, { cause: error, remedy: 'trust-authority' });
  }
  if (code === 'HTTP2_ONLY' || code === 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL') {
    return fail('ProtocolViolation', `${url.host} speaks HTTP/2 only, which is not known here: ${http1Advice}`);
  }
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_')) {
    return fail(
      'TlsFailed',
      `${url.host} does not speak TLS as expected (${code}): check the scheme and port of ${where}`,
    );
  }
  if (isNoHttp(error)) {
    return fail(
      'ProtocolViolation',
      `${url.host} does not answer as a web server does (${code}): check the scheme and port of ${where}`,
    );
  }
  if (error instanceof TooSlow) {
    return fail(
      'SourceStalled',
      `${url.host} sends next to nothing of ${where}, ${error.message}: see whether the server or the network is ` +
        'overloaded, or limits rates',
    );
  }
  const violation = parserViolation(error, code);
  if (violation !== undefined) {
    return fail(
      'ProtocolViolation',
      `${url.host} answers for ${where} in a way that HTTP/1.1 does not allow (${violation}): see what it, or a proxy before it, sends`,
    );
  }
  switch (code) {
    case 'ENDLESS_INTERIM':
      return fail(
        'ProtocolViolation',
        `${url.host} announces an answer for ${where} (1xx) again and again, and gives none`,
      );
    case 'HPE_HEADER_OVERFLOW':
    case 'UND_ERR_HEADERS_OVERFLOW':
      return fail(
        'ProtocolViolation',
        `${url.host} answers for ${where} with a head of more than ${formatBytes(LONGEST_FIELDS)}`,
      );
    case 'ENOTFOUND':
      return fail('HostNotFound', `there is no host named ${url.hostname}: check the URL ${where}`);
    case 'EAI_AGAIN':
      return fail('HostLookupFailed', `the name ${url.hostname} cannot be looked up at the moment: is DNS working?`);
    case 'ECONNREFUSED':
      return fail('ConnectionRefused', `${url.host} refused the connection: is the server of ${where} running?`);
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ETIMEDOUT':
    case 'UND_ERR_CONNECT_TIMEOUT':
      return fail('ConnectionFailed', `${url.host} cannot be reached (${code}): check the network and firewalls`);
    case 'UND_ERR_HEADERS_TIMEOUT':
    case 'UND_ERR_BODY_TIMEOUT':
    case 'STALLED':
      return fail('ConnectionLost', `${url.host} stopped answering while ${where} was being read`);
    default:
      return fail(
        'ConnectionLost',
        `the connection to ${url.host} broke while ${where} was being read (${code || 'closed'})`,
      );
  }
}

/** Describes a protocol violation of the server, by the parser's code or its message. */
function parserViolation(error: unknown, code: string): string | undefined {
  if (code === 'HPE_HEADER_OVERFLOW') return undefined;
  if (code.startsWith('HPE_')) return passingParserCodes.has(code) ? undefined : code;
  if (!(error instanceof Error) || error.name !== 'HTTPParserError') return undefined;
  const words = /\((.*)\)$/.exec(error.message)?.[1] ?? error.message;
  return passingParserWords.test(words) ? undefined : words;
}

/** Codes that mean that the proxy itself could not be reached. */
const reachingFailures = new Set<TransferErrorCode>([
  'HostNotFound',
  'HostLookupFailed',
  'ConnectionRefused',
  'ConnectionFailed',
]);

/** Explains a failure of a request through a proxy. */
export function proxyFailure(error: unknown, url: URL, proxy: URL): TransferError {
  const refusal = error instanceof Error ? /^Proxy .*\((\d{3})\)/.exec(error.message)?.[1] : undefined;
  if (refusal !== undefined) return proxyRefusal(Number(refusal), url, proxy, error);
  const { code, message } = connectionFailure(error, proxy);
  if (!reachingFailures.has(code)) return connectionFailure(error, url);
  return new TransferError(code, `the proxy for ${describeUrl(url)} cannot be reached: ${message}`, { cause: error });
}

function proxyRefusal(status: number, url: URL, proxy: URL, cause: unknown): TransferError {
  const answer = `the proxy ${proxy.host} answered ${status} ${STATUS_CODES[status] ?? ''} when asked for ${url.host}`;
  if (status === 407) {
    return new TransferError('ProxyRefused', `${answer}: put a user and password for it into its URL`, { cause });
  }
  if (status >= 500) {
    return new TransferError('ServerUnavailable', `${answer}: it does not reach that host at the moment`, { cause });
  }
  return new TransferError('ProxyRefused', `${answer}: let it allow that host, or name the host in noProxy`, { cause });
}

/** Explains a response with an unexpected status. */
export function statusFailure(status: number, headers: IncomingHttpHeaders, url: URL): TransferError {
  const where = describeUrl(url);
  const answer = `${status} ${STATUS_CODES[status] ?? ''}`.trim();
  const retryAfter = parseRetryAfter(headers['retry-after']);
  const options = retryAfter === undefined ? {} : { retryAfter };
  if (status === 401) {
    return new TransferError('Unauthorized', `${where} answered ${answer}`, { remedy: 'give-credentials' });
  }
  if (status === 403) {
    return new TransferError(
      'Forbidden',
      `${where} answered ${answer}: with these credentials, or without any, it may not be read`,
    );
  }
  if (status === 404 || status === 410) {
    return new TransferError('NotFound', `${where} answered ${answer}: check the URL`);
  }
  if (status === 429) return new TransferError('TooManyRequests', `${where} answered ${answer}`, options);
  if (status === 408 || status === 425 || (status >= 500 && status !== 501 && status !== 505)) {
    return new TransferError('ServerUnavailable', `${where} answered ${answer}`, options);
  }
  return new TransferError('RequestRejected', `${where} answered ${answer}, which is not a file: check the URL`);
}

/** Parses Retry-After (RFC 9110 section 10.2.3) to milliseconds. */
function parseRetryAfter(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined;
}
