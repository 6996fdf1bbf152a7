import { expect } from 'chai';
import { connectionFailure, statusFailure } from '../../../../src/source/http/failures.ts';
import { basicAuthorization, parseHeaders } from '../../../../src/source/http/headers.ts';
import { describeUrl, parseHttpUrl } from '../../../../src/source/http/location.ts';

const url = new URL('https://someone:secret@example.org/images/disk.img?signature=hidden#part');

describe('locations', () => {
  it('hold nothing that may be secret', () => {
    expect(describeUrl(url)).to.equal('https://example.org/images/disk.img');
  });

  it('are http or https', () => {
    expect(parseHttpUrl('http://example.org/x').href).to.equal('http://example.org/x');
    for (const wrong of ['', 'disk.img', 'ftp://example.org/x', 'http://']) {
      expect(() => parseHttpUrl(wrong))
        .to.throw()
        .with.property('code', 'InvalidUrl');
    }
  });
});

describe('failures of connections', () => {
  const systemError = (code: string): Error => Object.assign(new Error('details'), { code });
  const cases: [code: string, expected: string, permanent: boolean][] = [
    ['ENOTFOUND', 'HostNotFound', true],
    ['EAI_AGAIN', 'HostLookupFailed', false],
    ['ECONNREFUSED', 'ConnectionRefused', false],
    ['ECONNRESET', 'ConnectionLost', false],
    ['UND_ERR_CONNECT_TIMEOUT', 'ConnectionFailed', false],
    ['UND_ERR_BODY_TIMEOUT', 'ConnectionLost', false],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'CertificateUntrusted', true],
    ['CERT_HAS_EXPIRED', 'CertificateUntrusted', true],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'TlsFailed', true],
    ['HPE_INVALID_CONSTANT', 'ProtocolViolation', true],
    ['HPE_INVALID_EOF_STATE', 'ConnectionLost', false],
    ['HPE_CLOSED_CONNECTION', 'ConnectionLost', false],
    ['HPE_HEADER_OVERFLOW', 'ProtocolViolation', true],
    ['UND_ERR_HEADERS_OVERFLOW', 'ProtocolViolation', true],
    ['HPE_INVALID_HEADER_TOKEN', 'ProtocolViolation', true],
    ['HPE_INVALID_CONTENT_LENGTH', 'ProtocolViolation', true],
    ['HPE_UNEXPECTED_CONTENT_LENGTH', 'ProtocolViolation', true],
    ['HPE_INVALID_TRANSFER_ENCODING', 'ProtocolViolation', true],
    ['HPE_INVALID_CHUNK_SIZE', 'ProtocolViolation', true],
    ['HPE_CHUNK_EXTENSIONS_OVERFLOW', 'ProtocolViolation', true],
    ['HPE_LF_EXPECTED', 'ProtocolViolation', true],
    ['HTTP2_ONLY', 'ProtocolViolation', true],
    ['ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL', 'ProtocolViolation', true],
  ];
  for (const [code, expected, permanent] of cases) {
    it(`tell ${code}`, () => {
      const direct = connectionFailure(systemError(code), url);
      const wrapped = connectionFailure(new Error('outer', { cause: new AggregateError([systemError(code)]) }), url);
      for (const failure of [direct, wrapped]) {
        expect(failure).to.include({ code: expected, permanent });
        expect(failure.message).to.match(/example\.org/);
        expect(failure.message).not.to.match(/secret|hidden/);
      }
    });
  }
});

describe('failures by status', () => {
  const cases: [status: number, expected: string, permanent: boolean][] = [
    [400, 'RequestRejected', true],
    [401, 'Unauthorized', true],
    [403, 'Forbidden', true],
    [404, 'NotFound', true],
    [408, 'ServerUnavailable', false],
    [410, 'NotFound', true],
    [429, 'TooManyRequests', false],
    [500, 'ServerUnavailable', false],
    [501, 'RequestRejected', true],
    [503, 'ServerUnavailable', false],
    [204, 'RequestRejected', true],
  ];
  for (const [status, expected, permanent] of cases) {
    it(`tell ${status}`, () => {
      expect(statusFailure(status, {}, url)).to.include({ code: expected, permanent });
    });
  }

  it('know how long to wait, in seconds or until a date', () => {
    expect(statusFailure(503, { 'retry-after': '7' }, url).retryAfter).to.equal(7000);
    const date = new Date(Date.now() + 60_000).toUTCString();
    expect(statusFailure(429, { 'retry-after': date }, url).retryAfter).to.be.within(50_000, 60_000);
    expect(statusFailure(503, { 'retry-after': 'soon' }, url).retryAfter).to.equal(undefined);
  });
});

describe('headers', () => {
  it('are sent once each, whatever their case; the last one counts', () => {
    const lines = ['X-Plain: a: b', 'Authorization: Bearer x', 'X-Empty:', 'X-Api-Key: k ', 'x-plain: c'];
    expect(parseHeaders(lines)).to.deep.equal({
      authorization: 'Bearer x',
      'x-plain': 'c',
      'x-empty': '',
      'x-api-key': 'k',
    });
  });

  it('cannot carry others', () => {
    for (const line of ['no colon', 'X: a\r\nY: b', ': x', 'X Y: z']) {
      const refuse = expect(() => parseHeaders([line])).to.throw();
      refuse.with.property('message').that.does.not.include(line);
    }
  });

  it('carry credentials as RFC 7617 says', () => {
    expect(basicAuthorization({ user: 'Aladdin', password: 'open sesame' })).to.equal(
      'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==',
    );
  });
});
