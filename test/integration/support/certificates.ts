import { join } from 'node:path';
import { run } from './processes.ts';

export interface ServerCertificate {
  /** The authority's PEM certificate. */
  authority: string;
  certificate: string;
  key: string;
}

/** Makes an authority of its own and a certificate by it, for 127.0.0.1 unless another name is given. */
export async function createCertificate(directory: string, name = 'IP:127.0.0.1'): Promise<ServerCertificate> {
  const path = (name: string): string => join(directory, name);
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const authority = ['-x509', '-subj', '/CN=test authority', '-keyout', path('ca.key'), '-out', path('ca.crt')];
  await run('openssl', ['req', ...newKey, ...authority, '-days', '2']);
  const signed = ['-CA', path('ca.crt'), '-CAkey', path('ca.key'), '-addext', `subjectAltName=${name}`];
  const server = ['-x509', '-subj', '/CN=server', '-keyout', path('tls.key'), '-out', path('tls.crt'), '-days', '2'];
  await run('openssl', ['req', ...newKey, ...server, ...signed]);
  return { authority: path('ca.crt'), certificate: path('tls.crt'), key: path('tls.key') };
}
