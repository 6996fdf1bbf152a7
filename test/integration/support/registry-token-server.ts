import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { createCertificate } from './certificates.ts';
import type { RegistryOptions } from './registry.ts';

const SERVICE = 'test-registry';
const ISSUER = 'test-issuer';

/** Gives tokens for a registry: https://distribution.github.io/distribution/spec/auth/token/ */
export interface RegistryTokenServer {
  /** What the registry has to know of it. */
  readonly forRegistry: NonNullable<RegistryOptions['tokens']>;
  stop(): Promise<void>;
}

/** @param credentials of the only user */
export async function startRegistryTokenServer(
  directory: string,
  credentials: { user: string; password: string },
): Promise<RegistryTokenServer> {
  const { certificate, key } = await createCertificate(await mkdtemp(join(directory, 'tokens-')));
  const privateKey = createPrivateKey(await readFile(key));
  const x5c = [new X509Certificate(await readFile(certificate)).raw.toString('base64')];
  const expected = `Basic ${Buffer.from(`${credentials.user}:${credentials.password}`).toString('base64')}`;
  const server = createServer((request, response) => {
    const answer = async (): Promise<void> => {
      if (request.headers.authorization !== expected) return void response.writeHead(401).end();
      const scopes = new URL(request.url ?? '/', 'http://tokens').searchParams.getAll('scope');
      const access = scopes.map((scope) => {
        const [type = '', name = '', actions = ''] = scope.split(':');
        return { type, name, actions: actions.split(',') };
      });
      const token = await new SignJWT({ access })
        .setProtectedHeader({ alg: 'ES256', typ: 'JWT', x5c })
        .setIssuer(ISSUER)
        .setSubject(credentials.user)
        .setAudience(SERVICE)
        .setIssuedAt()
        .setNotBefore('-1m')
        .setExpirationTime('5m')
        .sign(privateKey);
      response.end(JSON.stringify({ token }));
    };
    void answer();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const realm = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
  return {
    forRegistry: { realm, service: SERVICE, issuer: ISSUER, certificate },
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
