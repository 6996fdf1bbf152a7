import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { createTransferCertificates, type TransferCertificates } from '../../../src/server/certificates.ts';

const HOUR = 60 * 60 * 1000;

describe('certificates of one transfer', () => {
  let certificates: TransferCertificates;
  let server: Server;

  before(async () => {
    certificates = await createTransferCertificates({ serverName: 'clone-1.namespace.svc', lifetime: HOUR });
    server = createServer(
      {
        ca: certificates.ca,
        cert: certificates.server.certificate,
        key: certificates.server.key,
        requestCert: true,
        rejectUnauthorized: true,
      },
      (_request, response) => response.end('here'),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });

  after(() => server.close());

  async function get(
    client: { certificate: string; key: string } | undefined,
    trust: string,
    servername: string,
  ): Promise<string> {
    return new Promise((resolve, reject) => {
      request(
        {
          host: '127.0.0.1',
          port: (server.address() as AddressInfo).port,
          servername,
          ca: trust,
          agent: false,
          ...(client && { cert: client.certificate, key: client.key }),
        },
        (response) => {
          response.setEncoding('utf8').on('data', resolve).on('error', reject);
        },
      )
        .on('error', reject)
        .end();
    });
  }

  async function refusal(attempt: Promise<string>): Promise<string> {
    const outcome = await attempt.then(
      (text) => `accepted: ${text}`,
      (error: NodeJS.ErrnoException) => error.code ?? error.message,
    );
    expect(outcome).to.not.match(/^accepted/);
    return outcome;
  }

  it('let the two pods talk', async () => {
    expect(await get(certificates.client, certificates.ca, 'clone-1.namespace.svc')).to.equal('here');
  });

  it('refuse a client without a certificate, one of another transfer, and the server’s own used as a client', async () => {
    const other = await createTransferCertificates({ serverName: 'clone-1.namespace.svc', lifetime: HOUR });
    await refusal(get(undefined, certificates.ca, 'clone-1.namespace.svc'));
    await refusal(get(other.client, certificates.ca, 'clone-1.namespace.svc'));
    await refusal(get(certificates.server, certificates.ca, 'clone-1.namespace.svc'));
  });

  it('refuse a server of another transfer, or under another name', async () => {
    const other = await createTransferCertificates({ serverName: 'clone-1.namespace.svc', lifetime: HOUR });
    await refusal(get(certificates.client, other.ca, 'clone-1.namespace.svc'));
    expect(await refusal(get(certificates.client, certificates.ca, 'clone-2.namespace.svc'))).to.equal(
      'ERR_TLS_CERT_ALTNAME_INVALID',
    );
  });

  it('are valid now, bear with clocks that are behind, and end with the lifetime', () => {
    for (const pem of [certificates.ca, certificates.server.certificate, certificates.client.certificate]) {
      const certificate = new X509Certificate(pem);
      expect(Date.parse(certificate.validFrom)).to.be.lessThan(Date.now() - HOUR / 12);
      expect(Date.parse(certificate.validTo)).to.be.within(Date.now() + HOUR * 0.9, Date.now() + HOUR);
    }
  });

  it('take a host name longer than a common name may be', async () => {
    const serverName = `${'a'.repeat(63)}.${'b'.repeat(63)}.svc`;
    const { server: made } = await createTransferCertificates({ serverName, lifetime: HOUR });
    expect(new X509Certificate(made.certificate).checkHost(serverName)).to.equal(serverName);
  });
});
