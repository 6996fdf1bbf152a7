import type { TLSSocket } from 'node:tls';
import { TransferError, systemCode } from '../../base/errors.ts';

/** One end's proof of who it is, and the only authority it trusts; PEM. */
export interface TransferIdentity {
  certificate: string;
  key: string;
  ca: string;
}

/** How both ends set up TLS: there are no older versions to talk to, and AES is what the processors have instructions for. */
export const tlsSettings = {
  minVersion: 'TLSv1.3',
  ciphers: 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256',
} as const;

const FIRST_KEEP_ALIVE_PROBE = 10_000;

/** An end that vanished without a word is noticed in less than a minute, while one that is busy may be silent. */
export function watchConnection(socket: TLSSocket): void {
  socket.setNoDelay(true);
  socket.setKeepAlive(true, FIRST_KEEP_ALIVE_PROBE);
}

const certificateCodes = /^(CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_MISMATCH$|INVALID_)/;

/** Says what a failed connection to the other end means. */
export function connectionFailure(error: unknown, host: string): TransferError {
  if (error instanceof TransferError) return error;
  const code = systemCode(error) ?? 'closed';
  const options = { cause: error };
  if (certificateCodes.test(code)) return untrusted(host, error);
  switch (code) {
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      // A Service's name appears some time after the Service.
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

/** One end does not accept the other's certificate. */
export function untrusted(host: string, cause?: unknown): TransferError {
  const code = systemCode(cause);
  return new TransferError(
    'CertificateUntrusted',
    `this pod and ${host} do not accept each other's certificates${code === undefined ? '' : ` (${code})`}: ` +
      'were they made for one transfer, and are they still valid?',
    { cause },
  );
}
