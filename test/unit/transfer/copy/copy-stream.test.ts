import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { json, text } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { expect } from 'chai';
import { TransferError } from '../../../../src/base/errors.ts';
import { Progress } from '../../../../src/base/progress.ts';
import { createTransferCertificates } from '../../../../src/server/certificates.ts';
import { askArrivedFiles, askTarget, sendCopy } from '../../../../src/transfer/copy/copy-client.ts';
import type { Arrived } from '../../../../src/transfer/copy/copy-protocol.ts';
import type { CloneReceiver } from '../../../../src/transfer/copy/copy-receiver.ts';
import type { CopyServerAddress } from '../../../../src/transfer/copy/copy-request.ts';
import { CopyServer } from '../../../../src/transfer/copy/copy-server.ts';
import { compareDigests, PieceWriter } from '../../../../src/transfer/copy/piece-stream.ts';

const HOUR = 60 * 60 * 1000;

/** Keeps what it receives, and what was asked of it. */
class MemoryReceiver implements CloneReceiver {
  readonly calls: string[] = [];
  content = Buffer.alloc(0);
  failWith: TransferError | undefined;

  async begin(): Promise<void> {
    this.calls.push('begin');
    this.content = Buffer.alloc(0);
  }

  async write(piece: Buffer): Promise<void> {
    if (this.failWith) throw this.failWith;
    this.content = Buffer.concat([this.content, piece]);
  }

  async finish(): Promise<{ preallocated: boolean }> {
    this.calls.push('finish');
    return { preallocated: false };
  }

  async suspend(): Promise<void> {
    this.calls.push('suspend');
  }

  async abandon(): Promise<void> {
    this.calls.push('abandon');
    this.content = Buffer.alloc(0);
  }
}

async function* pieces(...texts: string[]): AsyncGenerator<Buffer[]> {
  for (const text of texts) yield [Buffer.from(text)];
}

async function failure(promise: Promise<unknown>): Promise<TransferError> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).to.be.instanceOf(TransferError);
  return error as TransferError;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

for (const takesUpgrades of [true, false]) {
  describe(`the copy of a clone ${takesUpgrades ? 'over the rest of a connection' : 'as the body of a request'}`, () => {
    const offer = { contentType: 'filesystem-clone', contentId: sha256('what is sent') } as const;
    let arrived: Arrived | undefined;
    let receiver: MemoryReceiver;
    let listener: CopyServer;
    let server: CopyServerAddress;
    let received: Promise<unknown>;

    beforeEach(async () => {
      const certificates = await createTransferCertificates({ serverName: 'target', lifetime: HOUR });
      receiver = new MemoryReceiver();
      arrived = undefined;
      listener = new CopyServer({
        port: 0,
        host: '127.0.0.1',
        identity: { ...certificates.server, ca: certificates.ca },
        target: {
          state: async () => ({ volumeMode: 'Filesystem', ...(arrived && { arrived }) }),
          arrivedFiles: async () => Buffer.from('1 2 644 file\0'),
          receiverFor: async () => receiver,
        },
        progress: new Progress(),
      });
      const port = await listener.listen();
      const identity = { ...certificates.client, ca: certificates.ca };
      server = { host: '127.0.0.1', port, serverName: 'target', identity, takesUpgrades };
      received = listener.received();
      received.catch(() => undefined);
    });

    afterEach(async () => {
      await listener.close();
    });

    /** Sends a body as it is. */
    async function post(body: Buffer): Promise<{ status: number; answer: unknown }> {
      const { identity, port } = server;
      const request = httpsRequest({
        host: '127.0.0.1',
        port,
        servername: 'target',
        method: 'POST',
        path: '/v1beta1/copy',
        headers: { 'x-cdi-content-type': offer.contentType, 'x-diskpress-content-id': offer.contentId },
        ca: identity.ca,
        cert: identity.certificate,
        key: identity.key,
        agent: false,
      });
      request.end(body);
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      return { status: response.statusCode ?? 0, answer: await json(response) };
    }

    /** The bytes of a whole stream. */
    async function streamOf(content: string): Promise<Buffer> {
      const sent: Buffer[] = [];
      const writer = new PieceWriter(async (bytes) => void sent.push(Buffer.from(bytes)));
      await writer.add(Buffer.from(content));
      await writer.end();
      return Buffer.concat(sent);
    }

    it('succeeds when both ends saw the same bytes', async () => {
      expect(await askTarget(server)).to.deep.equal({ volumeMode: 'Filesystem', takesUpgrades: true });
      expect(await sendCopy(server, offer, () => pieces('a golden ', 'image'))).to.include({ bytes: 14 });
      expect(await received).to.deep.equal({ preallocated: false });
      expect(receiver.calls).to.deep.equal(['begin', 'finish']);
      expect(receiver.content.toString()).to.equal('a golden image');
    });

    it('arrives whole where the target is slower than the source', async () => {
      const content = randomBytes(5 * 1024 * 1024 + 1);
      const parts: Buffer[] = [];
      receiver.write = async (piece) => {
        await setImmediate();
        parts.push(Buffer.from(piece));
      };
      await sendCopy(server, offer, async function* () {
        for (let at = 0; at < content.length; at += 100_000) yield [content.subarray(at, at + 100_000)];
      });
      await received;
      expect(Buffer.concat(parts).equals(content)).to.equal(true);
    });

    it('tells what has arrived already', async () => {
      arrived = { contentId: offer.contentId, from: 4096 };
      expect(await askTarget(server)).to.deep.equal({ volumeMode: 'Filesystem', arrived, takesUpgrades: true });
      expect((await askArrivedFiles(server)).toString()).to.equal('1 2 644 file\0');
    });

    it('detects a flipped byte before any of its piece is written, and takes the next stream', async () => {
      const stream = await streamOf('a golden image');
      const flipped = stream.indexOf('e', stream.indexOf('image'));
      stream[flipped] = 'f'.charCodeAt(0);
      const { status, answer } = await post(stream);
      expect(status).to.equal(503);
      expect(answer).to.have.property('code', 'StreamCorrupted');
      expect(receiver.calls).to.deep.equal(['begin', 'abandon']);

      await sendCopy(server, offer, () => pieces('a golden image'));
      await received;
      expect(receiver.content.toString()).to.equal('a golden image');
    });

    it('does not take a body that ends early, or goes on', async () => {
      const stream = await streamOf('a golden image');
      for (const body of [stream.subarray(0, -1), stream.subarray(0, -60), Buffer.concat([stream, stream])]) {
        expect((await post(body)).answer).to.have.property('code', 'StreamCorrupted');
      }
      expect(receiver.calls).to.deep.equal(['begin', 'abandon', 'begin', 'abandon', 'begin', 'abandon']);
    });

    it('keeps what arrived of a stream whose source fails, and takes the next', async () => {
      const broken = async function* (): AsyncGenerator<Buffer[]> {
        yield [Buffer.from('half of ')];
        throw new TransferError('SourceNotReadable', 'the source cannot be read');
      };
      expect(await failure(sendCopy(server, offer, broken))).to.have.property('code', 'SourceNotReadable');
      await sendCopy(server, offer, () => pieces('a golden image'));
      await received;
      expect(receiver.calls).to.deep.equal(['begin', 'suspend', 'begin', 'finish']);
    });

    it('tells the source in the middle of the stream why the target cannot go on', async () => {
      receiver.failWith = new TransferError('NoSpace', 'the target volume is full');
      const endless = async function* (): AsyncGenerator<Buffer[]> {
        for (;;) yield [Buffer.alloc(1024 * 1024)];
      };
      const error = await failure(sendCopy(server, offer, endless));
      expect(error).to.include({ code: 'NoSpace', permanent: true, message: 'the target volume is full' });
      expect(await failure(received)).to.include({ code: 'NoSpace' });
      expect(receiver.calls).to.deep.equal(['begin', 'abandon']);
    });

    it('asks for nothing when the offer is refused', async () => {
      receiver.begin = async () => {
        throw new TransferError('ImageTooLarge', 'the image is too large');
      };
      let asked = false;
      const content = (): AsyncGenerator<Buffer[]> => {
        asked = true;
        return pieces('never sent');
      };
      expect(await failure(sendCopy(server, offer, content))).to.include({ code: 'ImageTooLarge', permanent: true });
      expect(asked).to.equal(false);
    });

    it('gives a client without a certificate nothing, not even when it resumes its session', async () => {
      const connect = async (session?: Buffer): Promise<{ answer: string; ticket: Buffer | undefined }> => {
        const { identity, port } = server;
        const socket = connectTls({
          host: '127.0.0.1',
          port,
          servername: 'target',
          ca: identity.ca,
          ...(session && { session }),
        });
        let ticket: Buffer | undefined;
        socket.on('session', (issued) => (ticket = issued));
        await once(socket, 'secureConnect');
        expect(socket.isSessionReused()).to.equal(session !== undefined);
        socket.write('HEAD /v1beta1/copy HTTP/1.1\r\nHost: target\r\nConnection: close\r\n\r\n');
        return { answer: await text(socket), ticket };
      };
      const first = await connect();
      expect(first.answer).to.match(/^HTTP\/1.1 403 /);
      const resumed = await connect(first.ticket);
      expect(resumed.answer).to.match(/^HTTP\/1.1 403 /);
    });

    it('stops when it is told to, at either end', async () => {
      const abort = new AbortController();
      const stopped = new TransferError('Interrupted', 'told to stop');
      const endless = async function* (): AsyncGenerator<Buffer[]> {
        for (;;) {
          if (receiver.content.length > 0) abort.abort(stopped);
          yield [Buffer.alloc(64 * 1024)];
        }
      };
      expect(await failure(sendCopy(server, offer, endless, abort.signal))).to.equal(stopped);
    });

    it('compares digests by length and by content', () => {
      const digest = { bytes: 3, sha256: sha256('abc') };
      compareDigests(digest, { ...digest });
      expect(() => compareDigests(digest, { ...digest, bytes: 4 })).to.throw(TransferError, '3 bytes');
      expect(() => compareDigests(digest, { bytes: 3, sha256: sha256('abd') })).to.throw(TransferError, sha256('abd'));
    });
  });
}
