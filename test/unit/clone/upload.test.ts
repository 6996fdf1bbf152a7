import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { json, text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import { expect } from 'chai';
import { createTransferCertificates } from '../../../src/controllers/host-clone/transfer-certificates.ts';
import type { CloneReceiver } from '../../../src/transfer/clone/clone-receiver.ts';
import { compareDigests } from '../../../src/transfer/clone/stream-digest.ts';
import { askVolumeMode, uploadClone, type UploadServerAddress } from '../../../src/transfer/clone/upload-client.ts';
import { UploadListener } from '../../../src/transfer/clone/upload-listener.ts';
import { TransferError } from '../../../src/transfer/errors.ts';
import { Progress } from '../../../src/transfer/progress.ts';

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

  async abandon(): Promise<void> {
    this.calls.push('abandon');
    this.content = Buffer.alloc(0);
  }
}

async function* pieces(...texts: string[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield Buffer.from(text);
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

describe('the upload of a clone', () => {
  const offer = { contentType: 'filesystem-clone' } as const;
  let receiver: MemoryReceiver;
  let listener: UploadListener;
  let server: UploadServerAddress;
  let received: Promise<unknown>;

  beforeEach(async () => {
    const certificates = await createTransferCertificates({ serverName: 'target', lifetime: HOUR });
    receiver = new MemoryReceiver();
    listener = new UploadListener({
      port: 0,
      host: '127.0.0.1',
      identity: { ...certificates.server, ca: certificates.ca },
      volumeMode: 'Filesystem',
      receiverFor: () => receiver,
      progress: new Progress(),
    });
    const port = await listener.listen();
    const identity = { ...certificates.client, ca: certificates.ca };
    server = { host: '127.0.0.1', port, serverName: 'target', identity };
    received = listener.received();
    received.catch(() => undefined);
  });

  afterEach(async () => {
    await listener.close();
  });

  /** Sends a body as it is, with whatever trailers. */
  async function post(body: string, trailers: Record<string, string>): Promise<{ status: number; answer: unknown }> {
    const { identity, port } = server;
    const request = httpsRequest({
      host: '127.0.0.1',
      port,
      servername: 'target',
      method: 'POST',
      path: '/v1beta1/upload',
      headers: { 'x-cdi-content-type': 'filesystem-clone', trailer: Object.keys(trailers).join(', ') },
      ca: identity.ca,
      cert: identity.certificate,
      key: identity.key,
      agent: false,
    });
    request.write(body);
    request.addTrailers(trailers);
    request.end();
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return { status: response.statusCode ?? 0, answer: await json(response) };
  }

  it('succeeds when both ends saw the same bytes', async () => {
    expect(await askVolumeMode(server)).to.equal('Filesystem');
    const digest = await uploadClone(server, offer, () => pieces('a golden ', 'image'));
    expect(digest).to.deep.equal({ bytes: 14, sha256: sha256('a golden image') });
    expect(await received).to.deep.equal({ preallocated: false });
    expect(receiver.calls).to.deep.equal(['begin', 'finish']);
    expect(receiver.content.toString()).to.equal('a golden image');
  });

  it('detects a flipped byte, forgets the stream, and takes the next', async () => {
    const trailers = { 'x-diskpress-stream-bytes': '14', 'x-diskpress-stream-sha256': sha256('a golden image') };
    const { status, answer } = await post('a golden imagf', trailers);
    expect(status).to.equal(503);
    expect(answer).to.have.property('code', 'StreamCorrupted');
    expect(receiver.calls).to.deep.equal(['begin', 'abandon']);

    await uploadClone(server, offer, () => pieces('a golden image'));
    await received;
    expect(receiver.content.toString()).to.equal('a golden image');
  });

  it('does not take a body that ends without its digest', async () => {
    const { answer } = await post('a golden', {});
    expect(answer).to.have.property('code', 'StreamCorrupted');
    expect(receiver.calls).to.deep.equal(['begin', 'abandon']);
  });

  it('forgets a stream whose source fails, and takes the next', async () => {
    const broken = async function* (): AsyncGenerator<Buffer> {
      yield Buffer.from('half of ');
      throw new TransferError('SourceNotReadable', 'the source cannot be read');
    };
    expect(await failure(uploadClone(server, offer, broken))).to.have.property('code', 'SourceNotReadable');
    await uploadClone(server, offer, () => pieces('a golden image'));
    await received;
    expect(receiver.calls).to.deep.equal(['begin', 'abandon', 'begin', 'finish']);
  });

  it('tells the source in the middle of the stream why the target cannot go on', async () => {
    receiver.failWith = new TransferError('NoSpace', 'the target volume is full');
    const endless = async function* (): AsyncGenerator<Buffer> {
      for (;;) yield Buffer.alloc(1024 * 1024);
    };
    const error = await failure(uploadClone(server, offer, endless));
    expect(error).to.include({ code: 'NoSpace', permanent: true, message: 'the target volume is full' });
    expect(await failure(received)).to.include({ code: 'NoSpace' });
    expect(receiver.calls).to.deep.equal(['begin', 'abandon']);
  });

  it('asks for nothing when the offer is refused', async () => {
    receiver.begin = async () => {
      throw new TransferError('ImageTooLarge', 'the image is too large');
    };
    let asked = false;
    const content = (): AsyncGenerator<Buffer> => {
      asked = true;
      return pieces('never sent');
    };
    expect(await failure(uploadClone(server, offer, content))).to.include({ code: 'ImageTooLarge', permanent: true });
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
      socket.write('HEAD /v1beta1/upload HTTP/1.1\r\nHost: target\r\nConnection: close\r\n\r\n');
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
    const endless = async function* (): AsyncGenerator<Buffer> {
      for (;;) {
        if (receiver.content.length > 0) abort.abort(stopped);
        yield Buffer.alloc(64 * 1024);
      }
    };
    expect(await failure(uploadClone(server, offer, endless, abort.signal))).to.equal(stopped);
  });

  it('compares digests by length and by content', () => {
    const digest = { bytes: 3, sha256: sha256('abc') };
    compareDigests(digest, { ...digest });
    expect(() => compareDigests(digest, { ...digest, bytes: 4 })).to.throw(TransferError, '3 bytes');
    expect(() => compareDigests(digest, { bytes: 3, sha256: sha256('abd') })).to.throw(TransferError, sha256('abd'));
  });
});
