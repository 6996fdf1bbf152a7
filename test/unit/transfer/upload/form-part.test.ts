import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { expect } from 'chai';
import { readForm } from '../../../../src/transfer/upload/form-part.ts';
import type { UploadRefusal } from '../../../../src/transfer/upload/upload-refusal.ts';

const BOUNDARY = '------------------------d74496d66958873e';
const image = randomBytes(300_000);

const part = (name: string, content: Buffer | string) =>
  Buffer.concat([
    Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"; filename="disk.img"\r\n\r\n`),
    Buffer.from(content),
    Buffer.from('\r\n'),
  ]);
const end = Buffer.from(`--${BOUNDARY}--\r\n`);

describe('the image in a form', () => {
  let server: Server;

  before(async () => {
    server = createServer((request, response) => {
      readForm(request, (found: Readable) => buffer(found)).then(
        (found) => response.end(found),
        (error: unknown) => response.writeHead((error as UploadRefusal).status).end((error as UploadRefusal).message),
      );
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  async function send(...body: Buffer[]): Promise<{ status: number; content: Buffer }> {
    const { port } = server.address() as AddressInfo;
    const response = await fetch(`http://127.0.0.1:${port}`, {
      method: 'POST',
      headers: { 'content-type': `multipart/form-data; boundary=${BOUNDARY}` },
      body: Buffer.concat(body),
      signal: AbortSignal.timeout(10_000),
    });
    return { status: response.status, content: Buffer.from(await response.arrayBuffer()) };
  }

  const forms: Record<string, Buffer[]> = {
    'is all of it': [part('file', image), end],
    'comes after other parts': [part('comment', 'golden'), part('file', image), end],
    'comes before other parts': [part('file', image), part('comment', 'golden'), end],
    'is the first of that name': [part('file', image), part('file', 'another'), end],
    'is followed by what is no part': [part('file', image), end, Buffer.alloc(200_000, 'x')],
  };
  for (const [title, form] of Object.entries(forms)) {
    it(title, async () => {
      const { status, content } = await send(...form);
      expect(status).to.equal(200);
      expect(content.equals(image)).to.be.true;
    });
  }

  it('is missed where there is none', async () => {
    const { status, content } = await send(part('disk', image), end);
    expect(status).to.equal(400);
    expect(content.toString()).to.equal('the form has no part "file": name the image so');
  });

  it('is refused where the form breaks off', async () => {
    expect((await send(part('file', image))).status).to.equal(400);
  });
});
