import { expect } from 'chai';
import { proxyFailure } from '../../../../src/source/http/failures.ts';
import { Proxies, proxiesOf } from '../../../../src/source/http/proxies.ts';

const proxy = 'http://user:secret@proxy:3128';

describe('proxies', () => {
  const reached = (none: string, url: string): boolean =>
    new Proxies({ http: proxy, https: proxy, none }).for(new URL(url)) === undefined;

  it('are chosen by the scheme of the URL', () => {
    const proxies = new Proxies({ http: 'one:3128', https: 'https://two:3129' });
    expect(proxies.for(new URL('http://example.org/'))?.href).to.equal('http://one:3128/');
    expect(proxies.for(new URL('https://example.org/'))?.href).to.equal('https://two:3129/');
    expect(new Proxies({ http: 'one:3128' }).for(new URL('https://example.org/'))).to.equal(undefined);
  });

  it('come from the environment, in lower case first', () => {
    expect(proxiesOf({ HTTP_PROXY: 'a', http_proxy: 'b', HTTPS_PROXY: 'c', no_proxy: '' })).to.deep.equal({
      http: 'b',
      https: 'c',
      none: undefined,
    });
  });

  const cases: [none: string, url: string, direct: boolean][] = [
    ['*', 'https://example.org/', true],
    ['example.org', 'https://example.org/', true],
    ['example.org', 'https://images.example.org/', true],
    ['.example.org', 'https://images.example.org/', true],
    ['*.example.org', 'https://images.example.org/', true],
    ['example.org', 'https://badexample.org/', false],
    ['EXAMPLE.org', 'https://example.org/', true],
    ['other, example.org:8443', 'https://example.org:8443/', true],
    ['example.org:8443', 'https://example.org/', false],
    ['example.org:443', 'https://example.org/', true],
    ['10.0.0.0/8', 'http://10.1.2.3/', true],
    ['10.0.0.0/8', 'http://11.1.2.3/', false],
    ['10.0.0.0/8', 'http://ten.example.org/', false],
    ['10.0.0.0/99', 'http://10.1.2.3/', false],
    ['10.1.2.3', 'http://10.1.2.3:8080/', true],
    ['fd00::/8', 'http://[fd00::1]/', true],
    ['fd00::1', 'http://[fd00::1]/', true],
    ['', 'https://example.org/', false],
  ];
  for (const [none, url, direct] of cases) {
    it(`are ${direct ? 'not ' : ''}used for ${url} where NO_PROXY is "${none}"`, () => {
      expect(reached(none, url)).to.equal(direct);
    });
  }

  it('are refused where they are none, without showing them', () => {
    for (const wrong of ['ftp://user:secret@proxy', 'http://', 'socks5://user:secret@proxy']) {
      expect(() => new Proxies({ http: wrong }))
        .to.throw()
        .with.property('message')
        .that.does.not.include('secret');
    }
  });

  it('are named where they are the cause', () => {
    const error = Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' });
    const failure = proxyFailure(error, new URL('https://example.org/disk.img'), new URL(proxy));
    expect(failure.code).to.equal('HostNotFound');
    expect(failure.message).to.include('no host named proxy').and.not.include('secret');
  });
});
