import type { TLSSocket } from 'node:tls';
import { systemCode, TransferError } from '../../base/errors.ts';
import { tls13Ciphers } from '../../server/tls-settings.ts';

/** The certificate and key of one end, and the only authority that it trusts, all PEM. */
export interface TransferIdentity {
  certificate: string;
  key: string;
  ca: string;
}

/**
 * TLS settings of both ends: there are no older versions to support, and processors have instructions for AES. The
 * environment can name some of these ciphers.
 */
export const tlsSettings = {
  minVersion: 'TLSv1.3',
  ciphers: tls13Ciphers(),
} as const;

const FIRST_KEEP_ALIVE_PROBE = 10_000;

/** Detects within a minute that the other end has vanished, while a busy one may be silent. */
export function watchConnection(socket: TLSSocket): void {
  socket.setNoDelay(true);
  socket.setKeepAlive(true, FIRST_KEEP_ALIVE_PROBE);
}

const certificateCodes = /^(CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_MISMATCH$|INVALID_)/;

/** Explains a failed connection to the other end. */
export function connectionFailure(error: unknown, host: string): TransferError {
  if (error instanceof TransferError) return error;
  const code = systemCode(error) ?? 'closed';
  const options = { cause: error };
  if (certificateCodes.test(code)) return untrusted(host, error);
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      // The name of a Service can be resolved only some time after the Service is created.
      return new TransferError('HostLookupFailed', `the name ${host} cannot be looked up yet (${code})`, options);
    case 'ECONNREFUSED':
      return new TransferError('ConnectionRefused', `${host} does not take connections yet`, options);
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ETIMEDOUT':
      return new TransferError('ConnectionFailed', `${host} cannot be reached (${code})`, options);
    default:
      return new TransferError('ConnectionLost', `the connection to ${host} broke (${code})`, options);
  }
}

/** Makes the failure of one end that does not accept the other's certificate. */
export function untrusted(host: string, cause?: unknown): TransferError {
  const code = systemCode(cause);
  return new TransferError(
    'CertificateUntrusted',
    `this pod and ${host} do not accept each other's certificates${code === undefined ? '' : ` (${code})`}: ` +
      'were they made for one transfer, and are they still valid?',
    { cause },
  );
}
