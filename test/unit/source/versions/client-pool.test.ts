import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { expect } from 'chai';
import type { HttpClient } from '../../../../src/source/http/client.ts';
import { ClientPool } from '../../../../src/source/versions/client-pool.ts';

describe('clients that are shared', () => {
  let server: Server;
  let url: URL;
  let sockets: Socket[];

  const ask = async (client: HttpClient): Promise<void> => {
    const response = await client.request(url, { method: 'HEAD' });
    await response.body.dump();
  };

  beforeEach(async () => {
    sockets = [];
    server = createServer((_, response) => response.writeHead(200, { 'content-length': '7' }).end());
    server.on('connection', (socket) => sockets.push(socket));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/disk.img`);
  });

  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  it('use one connection again, also after an answer without the body that it announces', async () => {
    const pool = new ClientPool();
    for (let poll = 0; poll < 3; poll += 1) await pool.use({ certificates: [], refusedNetworks: [] }, ask);
    expect(sockets).to.have.lengthOf(1);
  });

  it('are apart for other settings', async () => {
    const pool = new ClientPool();
    await pool.use({ certificates: [], insecureSkipVerify: true }, ask);
    await pool.use({ certificates: [], insecureSkipVerify: false }, ask);
    await pool.use({ certificates: [], insecureSkipVerify: false, insecureHosts: ['a'] }, ask);
    expect(sockets).to.have.lengthOf(3);
  });

  it('close their connections once nobody has used them for a while, and not before', async () => {
    const pool = new ClientPool(0);
    await pool.use({ certificates: [] }, async (client) => {
      await pool.use({ certificates: [] }, ask);
      await ask(client);
    });
    expect(sockets).to.have.lengthOf(1);
    const [socket] = sockets;
    if (socket?.destroyed === false) await once(socket, 'close');
    await pool.use({ certificates: [] }, ask);
    expect(sockets).to.have.lengthOf(2);
  });
});
