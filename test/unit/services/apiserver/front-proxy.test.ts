import type { IncomingMessage } from 'node:http';
import { expect } from 'chai';
import { FrontProxy } from '../../../../src/services/apiserver/front-proxy.ts';
import { StatusError } from '../../../../src/services/apiserver/status-error.ts';

const configMap = (data: Record<string, string> = {}) => ({
  data: {
    'requestheader-client-ca-file': 'an authority',
    'requestheader-allowed-names': '["front-proxy"]',
    'requestheader-username-headers': '["X-Remote-User"]',
    'requestheader-group-headers': '["X-Remote-Group"]',
    'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
    ...data,
  },
});

function requestOf(
  headersDistinct: Record<string, string[]>,
  {
    authorized = true,
    subject = { CN: 'front-proxy' },
    isReused = false,
  }: { authorized?: boolean; subject?: { CN: string } | null; isReused?: boolean } = {},
): IncomingMessage {
  const certificate = subject === null ? {} : { subject };
  const socket = { authorized, getPeerCertificate: () => certificate, isSessionReused: () => isReused };
  return { headersDistinct, socket } as unknown as IncomingMessage;
}

describe('whose request the API server passes on', () => {
  it('is said by its headers: each group by one, extra keys encoded', () => {
    const user = new FrontProxy(configMap()).userOf(
      requestOf({
        'x-remote-user': ['jane'],
        'x-remote-group': ['a,b', 'system:authenticated'],
        'x-remote-extra-authentication.kubernetes.io%2fcredential-id': ['JTI=1'],
        'x-remote-extra-scopes': ['read', 'write'],
        'x-other': ['nothing'],
      }),
    );
    expect(user).to.deep.equal({
      name: 'jane',
      groups: ['a,b', 'system:authenticated'],
      extra: { 'authentication.kubernetes.io/credential-id': ['JTI=1'], scopes: ['read', 'write'] },
    });
  });

  it('is nobody’s without a certificate of the authority, for an allowed name, and a user', () => {
    const proxy = new FrontProxy(configMap());
    const headers = { 'x-remote-user': ['jane'] };
    expect(() => proxy.userOf(requestOf(headers, { authorized: false }))).to.throw(StatusError);
    expect(() => proxy.userOf(requestOf(headers, { subject: { CN: 'kubelet' } }))).to.throw(StatusError);
    expect(() => proxy.userOf(requestOf({}))).to.throw(StatusError);
  });

  it('is believed of every name of the authority where none is listed', () => {
    const proxy = new FrontProxy(configMap({ 'requestheader-allowed-names': '[]' }));
    expect(proxy.userOf(requestOf({ 'x-remote-user': ['jane'] }, { subject: { CN: 'any' } })).name).to.equal('jane');
  });

  it('is nobody’s without a certificate, or in a session that is resumed, whatever the connection is held for', () => {
    const proxy = new FrontProxy(configMap({ 'requestheader-allowed-names': '[]' }));
    const headers = { 'x-remote-user': ['jane'] };
    expect(() => proxy.userOf(requestOf(headers, { subject: null }))).to.throw(StatusError);
    expect(() => proxy.userOf(requestOf(headers, { isReused: true }))).to.throw(StatusError);
  });

  it('cannot be known where the cluster has no front proxy', () => {
    expect(() => new FrontProxy({ data: {} })).to.throw('aggregation layer');
  });
});
