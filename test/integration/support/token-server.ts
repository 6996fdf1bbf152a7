import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { jwtVerify } from 'jose';

/** Gives tokens to one service account, as Google does: https://developers.google.com/identity/protocols/oauth2/service-account */
export interface TokenServer {
  /** The token that it gives. */
  readonly token: string;
  /** credentials.json of the account that it knows. */
  readonly serviceAccount: string;
  /** credentials.json with another key than that account's. */
  readonly unknownAccount: string;
  /** Tokens given. */
  readonly issued: number;
  stop(): Promise<void>;
}

const EMAIL = 'importer@project.iam.gserviceaccount.com';
const newKeys = () => generateKeyPairSync('rsa', { modulusLength: 2048 });

export async function startTokenServer(): Promise<TokenServer> {
  const token = 'ya29.a-token';
  const keys = newKeys();
  let issued = 0;
  let url = '';
  const server = createServer((request, response) => {
    const answer = async (): Promise<void> => {
      const form = new URLSearchParams(await text(request));
      try {
        const { payload } = await jwtVerify(form.get('assertion') ?? '', keys.publicKey, {
          audience: url,
          issuer: EMAIL,
        });
        if (!String(payload['scope']).includes('devstorage.read_only')) throw new Error('the scope is missing');
        issued += 1;
        response.end(JSON.stringify({ access_token: token, expires_in: 3599, token_type: 'Bearer' }));
      } catch {
        response.writeHead(400).end(JSON.stringify({ error: 'invalid_grant' }));
      }
    };
    void answer();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
  const account = (key: typeof keys.privateKey): string =>
    JSON.stringify({
      type: 'service_account',
      client_email: EMAIL,
      private_key: key.export({ type: 'pkcs8', format: 'pem' }),
      private_key_id: 'key-1',
      token_uri: url,
    });
  return {
    token,
    serviceAccount: account(keys.privateKey),
    unknownAccount: account(newKeys().privateKey),
    get issued() {
      return issued;
    },
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
