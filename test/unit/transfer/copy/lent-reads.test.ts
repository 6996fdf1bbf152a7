import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer, type Server, type TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { createTransferCertificates } from '../../../../src/server/certificates.ts';
import { lendReads } from '../../../../src/transfer/copy/lent-reads.ts';

describe('reads of a connection into one buffer', () => {
  let server: Server;
  let client: TLSSocket;
  let accepted: Socket;

  beforeEach(async () => {
    const { server: own, ca } = await createTransferCertificates({ serverName: 'target', lifetime: 60_000 });
    server = createServer({ cert: own.certificate, key: own.key });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const connection = once(server, 'secureConnection');
    const { port } = server.address() as AddressInfo;
    client = connect({ host: '127.0.0.1', port, servername: 'target', ca });
    [accepted] = (await connection) as [Socket];
  });

  afterEach(() => {
    client.destroy();
    accepted.destroy();
    server.close();
  });

  it('get everything in order, pauses included, and this version of Node makes no others', async () => {
    const sent = randomBytes(3 * 1024 * 1024);
    const parts: Buffer[] = [];
    const memory = new Set<ArrayBufferLike>();
    lendReads(accepted, (bytes) => {
      memory.add(bytes.buffer);
      parts.push(Buffer.from(bytes));
      if (parts.length % 50 !== 0) return;
      accepted.pause();
      setImmediate(() => accepted.resume());
    });
    client.end(sent);
    await once(accepted, 'end');
    expect(Buffer.concat(parts).equals(sent)).to.equal(true);
    expect(memory.size).to.equal(1);
  });

  it('get what has been received before', async () => {
    client.write('early ');
    await once(accepted, 'readable');
    let text = '';
    lendReads(accepted, (bytes) => (text += bytes.toString()));
    client.end('and late');
    await once(accepted, 'end');
    expect(text).to.equal('early and late');
  });
});
