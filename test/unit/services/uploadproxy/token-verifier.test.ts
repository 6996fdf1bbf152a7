import { expect } from 'chai';
import {
  calculateJwkThumbprint,
  type CryptoKey,
  exportJWK,
  generateKeyPair,
  type JWK,
  type JWTPayload,
  SignJWT,
  UnsecuredJWT,
} from 'jose';
import { Refusal } from '../../../../src/services/uploadproxy/refusal.ts';
import { TokenVerifier } from '../../../../src/services/uploadproxy/token-verifier.ts';
import { rejection } from '../../../support/rejection.ts';

const claims = {
  operation: 'Upload',
  name: 'disk',
  namespace: 'team',
  uid: 'the-uid',
  resource: { group: '', version: 'v1', resource: 'persistentvolumeclaims' },
};

interface SigningKey {
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

async function signingKey(algorithm = 'ES256'): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
  const jwk = await exportJWK(publicKey);
  return { privateKey, jwk: { ...jwk, alg: algorithm, use: 'sig', kid: await calculateJwkThumbprint(jwk) } };
}

const token = ({ privateKey, jwk }: SigningKey, payload: JWTPayload = {}, issuer = 'cdi-apiserver') =>
  new SignJWT({ exp: Math.floor(Date.now() / 1000) + 300, ...claims, ...payload })
    .setProtectedHeader({ alg: jwk.alg ?? '', kid: jwk.kid ?? '' })
    .setIssuer(issuer)
    .sign(privateKey);

const secondsFromNow = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;

describe('the verification of upload tokens', () => {
  let present: SigningKey;
  let previous: SigningKey;
  let verifier: TokenVerifier;

  before(async () => {
    [present, previous] = await Promise.all([signingKey(), signingKey()]);
    verifier = new TokenVerifier({ keys: [present.jwk, previous.jwk] });
  });

  async function refusalOf(authorization: string | undefined): Promise<Refusal> {
    const error = await rejection(verifier.verify(authorization));
    expect(error).to.be.instanceOf(Refusal);
    return error as Refusal;
  }

  it('takes those of the present key and of the one before it', async () => {
    for (const key of [present, previous]) {
      expect(await verifier.verify(`Bearer ${await token(key)}`)).to.deep.equal(claims);
    }
  });

  it('takes any writing of the scheme', async () => {
    expect(await verifier.verify(`bearer  ${await token(present)}`)).to.deep.equal(claims);
  });

  it('lets clocks differ by a few seconds', async () => {
    await verifier.verify(`Bearer ${await token(present, { exp: secondsFromNow(-5) })}`);
    const refusal = await refusalOf(`Bearer ${await token(present, { exp: secondsFromNow(-60) })}`);
    expect(refusal.status).to.equal(401);
    expect(refusal.message).to.contain('has expired').and.contain('request another one');
  });

  it('refuses requests without a token, and says how to get one', async () => {
    for (const header of [undefined, '', 'Bearer', 'Bearer ', 'Basic dXNlcjpwYXNz', `Bearer ${'a'.repeat(10_000)}`]) {
      const refusal = await refusalOf(header);
      expect(refusal.status).to.equal(401);
      expect(refusal.message).to.contain('UploadTokenRequest');
      expect(refusal.headers).to.have.property('www-authenticate');
    }
  });

  it('refuses forged ones', async () => {
    const stranger = await signingKey();
    const valid = await token(present);
    const [head = '', , signature = ''] = valid.split('.');
    const otherClaim = Buffer.from(JSON.stringify({ ...claims, name: 'other', iss: 'cdi-apiserver' })).toString(
      'base64url',
    );
    const symmetric = await new SignJWT({ exp: secondsFromNow(60), ...claims })
      .setProtectedHeader({ alg: 'HS256', kid: present.jwk.kid ?? '' })
      .setIssuer('cdi-apiserver')
      .sign(Buffer.from(JSON.stringify(present.jwk)));
    const forged = {
      'of a key of before the last rotations': await token(stranger),
      'with the kid of another key': await token({ ...stranger, jwk: { ...stranger.jwk, kid: present.jwk.kid ?? '' } }),
      'with other claims': `${head}.${otherClaim}.${signature}`,
      'that is cut': valid.slice(0, -10),
      'without a signature': new UnsecuredJWT({ ...claims, iss: 'cdi-apiserver', exp: secondsFromNow(60) }).encode(),
      'with the public key as a secret': symmetric,
      'of another issuer': await token(present, {}, 'somebody'),
      'that is not a token': 'nothing',
    };
    for (const [kind, text] of Object.entries(forged)) {
      const refusal = await refusalOf(`Bearer ${text}`);
      expect(refusal.status, kind).to.equal(401);
      expect(refusal.message, kind).to.contain('is not valid').and.not.contain(text);
    }
  });

  it('refuses those that never expire', async () => {
    const endless = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256', kid: present.jwk.kid ?? '' })
      .setIssuer('cdi-apiserver')
      .sign(present.privateKey);
    expect((await refusalOf(`Bearer ${endless}`)).status).to.equal(401);
  });

  it('refuses those that are for something else', async () => {
    for (const payload of [
      { operation: 'Clone' },
      { uid: 7 },
      { resource: { ...claims.resource, resource: 'pods' } },
    ]) {
      const refusal = await refusalOf(`Bearer ${await token(present, payload)}`);
      expect(refusal.status).to.equal(400);
    }
  });
});
