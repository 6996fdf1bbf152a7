import { expect } from 'chai';
import { HttpClient } from '../../../../src/source/http/client.ts';
import { readRefusal, refusalFailure } from '../../../../src/source/object-storage/refusal.ts';
import { S3Requests } from '../../../../src/source/object-storage/s3-requests.ts';
import { HttpServers, repeat } from '../http/http-servers.ts';

const advice = { anonymous: false, remedy: 'give-s3-credentials' } as const;

describe('refusals of object stores', () => {
  const servers = new HttpServers();
  const client = new HttpClient({});
  afterEach(() => servers.close());
  after(() => client.close());

  const refusalOf = async (document: string): Promise<Awaited<ReturnType<typeof readRefusal>>> => {
    const url = await servers.http((_, response) => response.writeHead(403).end(document));
    return readRefusal(await client.request(url, {}));
  };

  it('show the code', async () => {
    const refusal = await refusalOf('<Error><Code>AccessDenied</Code><Region>eu-west-1</Region></Error>');
    expect(refusal).to.include({ code: 'AccessDenied', region: 'eu-west-1' });
    expect(refusalFailure(refusal, advice).message).to.match(/answered 403 AccessDenied: these credentials may not/);
  });

  it('show none that is no identifier', async () => {
    for (const code of ['\x1b[31mred', 'a\nb', 'x'.repeat(65), 'a b', '']) {
      const refusal = await refusalOf(`<Error><Code>${code}</Code></Error>`);
      expect(refusal.code).to.equal('');
      expect(refusalFailure(refusal, advice).message).to.match(/answered 403: these credentials may not/);
    }
  });

  it('are not read for longer than a document of that kind is', async () => {
    const url = await servers.tcp((socket) => {
      socket.write('HTTP/1.1 403 Forbidden\r\ntransfer-encoding: chunked\r\n\r\n');
      repeat(socket, `1000\r\n${'x'.repeat(4096)}\r\n`);
    });
    expect(await readRefusal(await client.request(url, {}))).to.include({ code: '' });
  });

  it('move requests to no other host but Amazon’s', async () => {
    const hosts: string[] = [];
    const url = await servers.http((request, response) => {
      hosts.push(request.headers.host ?? '');
      response.writeHead(400, { 'x-amz-bucket-region': hosts.length === 1 ? 'eu-west-1' : 'x.example.org' });
      response.end('<Error><Code>AuthorizationHeaderMalformed</Code></Error>');
    });
    const requests = new S3Requests(url, { accessKeyId: 'a', secretAccessKey: 'b' });
    await requests.ask(client, { headers: {} }).catch((error: unknown) => error);
    expect(hosts).to.deep.equal([url.host, url.host]);
  });
});
