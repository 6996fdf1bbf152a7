import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect } from 'chai';
import type { ClaimWebhook } from '../../../../src/services/apiserver/claim-webhook.ts';
import { Routes } from '../../../../src/services/apiserver/routes.ts';
import type { UploadTokens } from '../../../../src/services/apiserver/upload-tokens.ts';
import { eventually } from '../../../support/eventually.ts';
import { silentLogger } from '../../../support/logger.ts';

describe('reviews of claims', () => {
  it('are answered while others take all the room and never send the rest', async () => {
    const routes = new Routes({
      frontProxy: () => undefined,
      tokens: {} as UploadTokens,
      claims: { review: async (body: unknown) => ({ body }) } as unknown as ClaimWebhook,
      isStopping: () => false,
      logger: silentLogger(),
    });
    let begun = 0;
    const server = createServer((request, response) => {
      begun++;
      void routes.answer(request, response);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    let ended = 0;
    const slow = Array.from({ length: 20 }, () => {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined).on('close', () => ended++);
      socket.write('POST /mutate-claims HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{');
      return socket.resume();
    });
    try {
      await eventually('all have begun', async () => begun === slow.length);
      const answer = await fetch(`http://127.0.0.1:${port}/mutate-claims`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"a":1}',
      });
      expect(answer.status).to.equal(200);
      expect(await answer.json()).to.deep.equal({ body: { a: 1 } });
      await eventually('the oldest has been ended', async () => ended === 1);
    } finally {
      for (const socket of slow) socket.destroy();
      server.closeAllConnections();
      server.close();
    }
  });
});
