import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { expect } from 'chai';
import { closeWithConnections, listen } from '../../../src/server/listen.ts';
import { rejection } from '../../support/rejection.ts';

describe('a server', () => {
  it('listens on a port that is free, and says where it does not get one', async () => {
    const server = createServer();
    const port = await listen(server, { port: 0, host: '127.0.0.1' });
    expect(port).to.be.greaterThan(0);
    const other = listen(createServer(), { port, host: '127.0.0.1' });
    expect(await rejection(other)).to.have.property('code', 'EADDRINUSE');
    await closeWithConnections(server);
  });

  it('cuts off who is connected when it closes, once what is under way has settled', async () => {
    const server = createServer(() => undefined);
    const socket = connect(await listen(server, { port: 0, host: '127.0.0.1' }), '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: here\r\n\r\n');
    await once(server, 'request');
    let isCutOff = false;
    const cutOff = once(socket, 'close').then(() => (isCutOff = true));
    socket.on('error', () => undefined);
    await closeWithConnections(server, async () => {
      await new Promise(setImmediate);
      expect(isCutOff).to.equal(false);
    });
    await cutOff;
    expect(server.listening).to.equal(false);
  });
});
