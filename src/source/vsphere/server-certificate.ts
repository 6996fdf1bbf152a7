import { once } from 'node:events';
import { isIP } from 'node:net';
import { connect, type PeerCertificate } from 'node:tls';
import { TransferError } from '../../base/errors.ts';
import { connectionFailure } from '../http/failures.ts';
import { Trust } from '../http/trust.ts';

/** Milliseconds to connect. */
const CONNECT_MILLISECONDS = 8_000;

/** The certificate of a server that is trusted. */
export interface ServerCertificate {
  readonly pem: string;
  /** Its SHA-1, `AA:BB:…`. */
  readonly thumbprint: string;
}

export interface CertificateQuestion {
  /** https://… */
  readonly url: URL;
  /** What the user says its certificate's SHA-1 is; undefined where authorities are trusted. */
  readonly thumbprint: string | undefined;
  readonly certificatesDirectories: readonly string[];
}

/**
 * Asks a server for its certificate, and sees whether it may be trusted: by its thumbprint where that is given,
 * otherwise by who made it and for which name.
 *
 * @throws TransferError
 */
export async function serverCertificate({
  url,
  thumbprint,
  certificatesDirectories,
}: CertificateQuestion): Promise<ServerCertificate> {
  const host = url.hostname.replaceAll(/[[\]]/g, '');
  const trust =
    thumbprint === undefined ? await new Trust({ certificatesDirectories }).verified() : { rejectUnauthorized: false };
  const servername = isIP(host) === 0 ? { servername: host } : {};
  const socket = connect({ host, port: Number(url.port) || 443, ...servername, ...trust });
  socket.setTimeout(CONNECT_MILLISECONDS, () => {
    socket.destroy(Object.assign(new Error('it does not answer'), { code: 'ETIMEDOUT' }));
  });
  let certificate: PeerCertificate;
  try {
    await once(socket, 'secureConnect');
    certificate = socket.getPeerCertificate();
  } catch (error) {
    throw connectionFailure(error, url);
  } finally {
    socket.destroy();
  }
  const found = certificate.fingerprint;
  if (thumbprint !== undefined && normalized(thumbprint) !== normalized(found)) {
    throw new TransferError(
      'CertificateUntrusted',
      `${url.host} has a certificate with the thumbprint ${found}, not the one that is given: if that is right, set it as thumbprint`,
    );
  }
  const lines = certificate.raw.toString('base64').replaceAll(/.{1,64}/g, '$&\n');
  return { pem: `-----BEGIN CERTIFICATE-----\n${lines}-----END CERTIFICATE-----\n`, thumbprint: found };
}

function normalized(thumbprint: string): string {
  return thumbprint.replaceAll(/[^0-9a-f]/gi, '').toUpperCase();
}
