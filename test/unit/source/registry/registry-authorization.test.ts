import type { IncomingHttpHeaders, RequestListener } from 'node:http';
import { expect } from 'chai';
import { HttpClient } from '../../../../src/source/http/client.ts';
import { RegistryAuthorization } from '../../../../src/source/registry/authorization.ts';
import { parseChallenges } from '../../../../src/source/registry/challenge.ts';
import { HttpServers } from '../http/http-servers.ts';

const credentials = { user: 'someone', password: 'pass word' };
const basic = `Basic ${Buffer.from('someone:pass word').toString('base64')}`;

describe('authorization at a registry', () => {
  const servers = new HttpServers();
  const clients: HttpClient[] = [];
  /** What the registry and the token server were told. */
  let seen: IncomingHttpHeaders[];
  const asking =
    (realm: () => string): RequestListener =>
    (request, response) => {
      seen.push(request.headers);
      if (request.headers.authorization?.startsWith('Bearer ') === true) return void response.end('there');
      response.writeHead(401, { 'www-authenticate': `Bearer realm="${realm()}",service="registry"` }).end();
    };
  const giving =
    (answer: object): RequestListener =>
    (request, response) => {
      seen.push(request.headers);
      response.end(JSON.stringify(answer));
    };
  const ask = async (registry: URL, options = {}): Promise<unknown> => {
    const client = new HttpClient(options);
    clients.push(client);
    const authorization = new RegistryAuthorization(client, 'org/disk', credentials);
    return authorization.request(registry, { headers: {} }).catch((error: unknown) => error);
  };

  beforeEach(() => {
    seen = [];
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) await client.close();
    await servers.close();
  });

  it('gets a token where the registry says, for the password', async () => {
    const tokens = await servers.http(giving({ token: 'given' }));
    const registry = await servers.http(asking(() => tokens.href));
    expect(await ask(registry)).to.include({ status: 200 });
    expect(seen.map((headers) => headers.authorization)).to.deep.equal([undefined, basic, 'Bearer given']);
  });

  it('tells no password to a realm of plain http that a registry of https names', async () => {
    const tokens = await servers.http(giving({ token: 'given' }));
    const registry = await servers.https(asking(() => tokens.href));
    const failure = await ask(registry, { insecureHosts: [registry.host] });
    expect(failure).to.include({ code: 'RedirectRefused', permanent: true });
    expect(failure).to.have.property('message').that.includes(`a token of ${tokens.host} over plain http`);
    expect(seen.map((headers) => headers.authorization)).to.deep.equal([undefined]);
  });

  it('tells no password to a realm with a certificate that is not trusted, be that of the registry accepted', async () => {
    const tokens = await servers.https(giving({ token: 'given' }));
    const registry = await servers.https(asking(() => tokens.href));
    expect(await ask(registry, { insecureHosts: [registry.host] })).to.include({ code: 'CertificateUntrusted' });
    expect(seen.map((headers) => headers.authorization)).to.deep.equal([undefined]);
    expect(await ask(registry, { insecureSkipVerify: true })).to.include({ status: 200 });
  });

  it('gets a token, or tells the password, whatever else the registry would take', async () => {
    const tokens = await servers.http(giving({ token: 'given' }));
    const bearer = `Bearer realm="${tokens.href}",service="registry"`;
    const orders: [challenges: string | string[], proof: string][] = [
      [`${bearer}, Basic realm="reg"`, 'Bearer given'],
      [[bearer, 'Basic realm="reg"'], 'Bearer given'],
      [`Basic realm="reg", ${bearer}`, 'Bearer given'],
      [`Negotiate, ${bearer}, Digest realm="reg"`, 'Bearer given'],
      [`Bearer realm="reg", ${bearer}`, 'Bearer given'],
      ['Bearer realm="reg", Basic realm="reg"', basic],
      ['Bearer, Basic realm="https://elsewhere.example/token"', basic],
      ['Basic realm="reg"', basic],
    ];
    for (const [challenges, proof] of orders) {
      const registry = await servers.http((request, response) => {
        if (request.headers.authorization === proof) return void response.end('there');
        response.writeHead(401, { 'www-authenticate': challenges }).end();
      });
      expect(await ask(registry), challenges.toString()).to.include({ status: 200 });
    }
  });

  it('tells the password to no registry that asks for another proof', async () => {
    for (const [challenges, code] of [
      ['Digest realm="reg", nonce="x"', 'Unauthorized'],
      ['Bearer service="registry", Digest realm="reg"', 'ProtocolViolation'],
    ] as const) {
      seen = [];
      const registry = await servers.http((request, response) => {
        seen.push(request.headers);
        response.writeHead(401, { 'www-authenticate': challenges }).end();
      });
      expect(await ask(registry)).to.include({ code, permanent: true });
      expect(seen.map((headers) => headers.authorization)).to.deep.equal([undefined]);
    }
  });

  it('does not go further inside for a token', async () => {
    const registry = await servers.http(asking(() => 'http://169.254.169.254/token'));
    expect(await ask(registry)).to.include({ code: 'RedirectRefused' });
  });

  it('takes no token that cannot be sent', async () => {
    for (const token of ['a\r\nb: c', '', 'x'.repeat(20_000), '\x1b[31m', 7, undefined]) {
      const tokens = await servers.http(giving({ token }));
      const registry = await servers.http(asking(() => tokens.href));
      const failure = await ask(registry);
      expect(failure).to.include({ code: 'ProtocolViolation', permanent: true });
      expect(failure)
        .to.have.property('message')
        .that.matches(/answered without a token$/);
    }
  });
});

describe('challenges', () => {
  const read = (header: string | undefined): [scheme: string, parameters: object][] =>
    parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);
  const bearer = 'BEARER Service="registry",realm="https://a/b?c=d,e",scope="a:b:pull,push"';
  const token = ['bearer', { service: 'registry', realm: 'https://a/b?c=d,e', scope: 'a:b:pull,push' }];
  const others: [header: string, challenge: [string, object]][] = [
    ['Basic realm="reg"', ['basic', { realm: 'reg' }]],
    ['Basic', ['basic', {}]],
    ['Negotiate', ['negotiate', {}]],
    ['NTLM YWJj+/==', ['ntlm', {}]],
    ['Digest realm = "a \\"b\\"" , nonce=abc', ['digest', { realm: 'a "b"', nonce: 'abc' }]],
  ];

  it('have parameters of their own, in any order', () => {
    for (const [header, challenge] of others) {
      expect(read(`${header}, ${bearer}`), header).to.deep.equal([challenge, token]);
      expect(read(`${bearer},${header}`), header).to.deep.equal([token, challenge]);
      expect(read(`, ${bearer} ,, ${header},`), header).to.deep.equal([token, challenge]);
    }
  });

  it('may be without quotes, and are not part of other words', () => {
    expect(read('bearer realm=https://a/b,service=c')).to.deep.equal([
      ['bearer', { realm: 'https://a/b', service: 'c' }],
    ]);
    expect(read('forbearer x')).to.deep.equal([['forbearer', {}]]);
    for (const none of [undefined, '', ' , ', '"', '===']) expect(read(none)).to.deep.equal([]);
  });

  it('are read in no time, however they are', () => {
    const started = process.cpuUsage();
    for (const part of ['a', 'a="', '"', 'a=', ' a="b",', 'a="\\', 'a ', '\\']) {
      parseChallenges(`bearer ${part.repeat(100_000)}`);
    }
    expect(process.cpuUsage(started).user / 1000).to.be.below(200);
  });
});
