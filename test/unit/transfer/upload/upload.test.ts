import { createHash } from 'node:crypto';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { TransferError } from '../../../../src/base/errors.ts';
import { Progress } from '../../../../src/base/progress.ts';
import { Upload } from '../../../../src/transfer/upload/upload.ts';
import { UploadFeed, type UploadOffer } from '../../../../src/transfer/upload/upload-feed.ts';
import { UploadRefusal } from '../../../../src/transfer/upload/upload-refusal.ts';
import { noise } from '../../../integration/support/images.ts';

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** Reads an upload as imports do: from the start again where it has changed. */
async function readAll(upload: Upload): Promise<Buffer> {
  for (;;) {
    const parts: Buffer[] = [];
    try {
      const { bytes } = await upload.open();
      for await (const chunk of bytes) parts.push(Buffer.from(chunk));
      return Buffer.concat(parts);
    } catch (error) {
      if (!(error instanceof TransferError) || error.code !== 'SourceChanged') throw error;
    }
  }
}

/** Sends the bytes of one request, in chunks of the given length. */
async function send(upload: Upload, offer: UploadOffer, bytes: Buffer, chunk: number): Promise<UploadFeed> {
  const feed = new UploadFeed(upload, offer);
  for (let at = 0; at < bytes.length; at += chunk) {
    feed.write(bytes.subarray(at, at + chunk));
    await new Promise<void>((resolve, reject) => feed.afterRoom((error) => (error ? reject(error) : resolve())));
  }
  return feed;
}

const whole = (image: Buffer): UploadOffer => ({ from: 0, size: image.length, sha256: sha256(image) });
const rest = (image: Buffer, from: number): UploadOffer => ({
  from,
  size: image.length,
  sha256: sha256(image.subarray(from)),
  ...(from > 0 && { prefixDigest: sha256(image.subarray(0, from)) }),
});

const chunk = fc.integer({ min: 1, max: 70_000 });
const image = fc
  .record({ seed: fc.string(), length: fc.integer({ min: 1, max: 300_000 }) })
  .map(({ seed, length }) => noise(seed, length));
/** A request that breaks after a share of what it was to send. */
const broken = fc.record({
  continues: fc.boolean(),
  knowsSize: fc.boolean(),
  share: fc.double({ min: 0, max: 1, noNaN: true }),
  chunk,
});

describe('an upload', () => {
  it('is the image, however it is cut into requests that break, repeat and continue', async () => {
    await fc.assert(
      fc.asyncProperty(
        image,
        fc.array(broken, { maxLength: 5 }),
        fc.boolean(),
        chunk,
        async (bytes, breaks, continues, size) => {
          const upload = new Upload(new Progress());
          const read = readAll(upload);
          for (const { continues: goesOn, knowsSize, share, chunk: length } of breaks) {
            const from = goesOn ? upload.stream.received : 0;
            const offer = { ...rest(bytes, from), ...(!knowsSize && from === 0 && { size: undefined }) };
            const part = bytes.subarray(from, from + Math.floor((bytes.length - from) * share));
            await send(upload, offer, part, length);
          }
          const from = continues ? upload.stream.received : 0;
          const feed = await send(upload, rest(bytes, from), bytes.subarray(from), size);
          expect(feed.end()).to.equal(true);
          expect((await read).equals(bytes)).to.equal(true);
        },
      ),
    );
  });

  it('is the last image, whatever was sent of others before', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(image, broken), { maxLength: 4 }),
        image,
        chunk,
        async (others, bytes, length) => {
          const upload = new Upload(new Progress());
          const read = readAll(upload);
          const attempt = async (offer: UploadOffer, part: Buffer, pieces: number): Promise<UploadFeed | undefined> =>
            send(upload, offer, part, pieces).catch((error: unknown) => {
              expect(error).to.be.instanceOf(UploadRefusal).that.includes({ status: 503 });
              return undefined;
            });
          for (const [other, { share, chunk: pieces }] of others) {
            await attempt(whole(other), other.subarray(0, Math.floor(other.length * share)), pieces);
          }
          // As a client does that is asked to send its image again.
          let feed = await attempt(whole(bytes), bytes, length);
          feed ??= await attempt(whole(bytes), bytes, length);
          expect(feed?.end()).to.equal(true);
          expect((await read).equals(bytes)).to.equal(true);
        },
      ),
    );
  });

  it('is taken for the recorded one only with the same bytes, before any byte behind them is read', async () => {
    await fc.assert(
      fc.asyncProperty(
        image,
        fc.integer({ min: 0 }),
        fc.option(fc.integer({ min: 0 })),
        chunk,
        async (bytes, at, flaw, length) => {
          const received = at % (bytes.length + 1);
          const record = {
            version: 'v',
            size: bytes.length,
            received,
            digest: sha256(bytes.subarray(0, received)),
            checkpoint: '',
          };
          const sent = Buffer.from(bytes);
          const flawAt = flaw === null ? undefined : flaw % bytes.length;
          if (flawAt !== undefined) sent.writeUInt8(sent.readUInt8(flawAt) ^ 1, flawAt);
          const upload = new Upload(new Progress(), record);
          const opened = upload.open();
          let failure: unknown;
          const feed = await send(upload, whole(sent), sent, length).catch((error: unknown) => void (failure = error));
          if (flawAt !== undefined && flawAt < received) {
            expect(failure).to.be.instanceOf(UploadRefusal).that.includes({ status: 503 });
            expect(upload.stream.version).not.to.equal('v');
            upload.fail(new Error('the end'));
            let read = 0;
            const reading = (async () => {
              for await (const part of (await opened).bytes) read += part.length;
            })();
            const end: unknown = await reading.catch((error: unknown) => error);
            expect(String(end)).to.match(/no longer what it was|the end/);
            expect(read).to.be.at.most(received);
          } else {
            expect(feed?.end()).to.equal(true);
            expect((await opened).version).to.equal('v');
            expect(upload.isUnconfirmed).to.equal(false);
          }
        },
      ),
    );
  });

  it('does not count as the recorded one where its size differs', async () => {
    const record = { version: 'v', size: 5, received: 3, digest: sha256(Buffer.from('abc')), checkpoint: '' };
    const upload = new Upload(new Progress(), record);
    (await send(upload, whole(Buffer.from('abcd')), Buffer.from('abcd'), 4)).end();
    expect((await upload.open()).version).not.to.equal('v');
  });

  it('is refused where it ends before what was received, and the next one is taken', async () => {
    const upload = new Upload(new Progress());
    const unknownSize = { from: 0, size: undefined };
    await send(upload, unknownSize, Buffer.from('abcdef'), 2);
    const shorter = await send(upload, unknownSize, Buffer.from('abc'), 2);
    expect(() => shorter.end()).to.throw(UploadRefusal, /another image/);
    const read = readAll(upload);
    (await send(upload, unknownSize, Buffer.from('abc'), 2)).end();
    expect((await read).toString()).to.equal('abc');
  });

  it('cannot be replaced once all of it has come', async () => {
    const upload = new Upload(new Progress());
    const first = Buffer.from('first');
    (await send(upload, whole(first), first, 5)).end();
    for (const other of ['other', 'longer']) {
      const bytes = Buffer.from(other);
      const error: unknown = await send(upload, whole(bytes), bytes, 2).catch((reason: unknown) => reason);
      expect(error).to.be.instanceOf(UploadRefusal).that.includes({ status: 409 });
    }
    expect((await send(upload, whole(first), first, 2)).end()).to.equal(true);
    expect((await readAll(upload)).toString()).to.equal('first');
  });

  it('holds its client back while nobody reads', async () => {
    const upload = new Upload(new Progress());
    const feed = new UploadFeed(upload, { from: 0, size: 10 ** 9 });
    let asked = 0;
    let answered = 0;
    for (; asked === answered; asked += 1) {
      feed.write(Buffer.alloc(64 * 1024));
      feed.afterRoom(() => (answered += 1));
    }
    expect(upload.stream.received).to.be.at.most(1024 * 1024);
    const { bytes } = await upload.open();
    await bytes.next();
    expect(answered).to.equal(asked);
  });

  it('can be read twice while its start is short, and is asked for again after that', async () => {
    const upload = new Upload(new Progress());
    const start = noise('start', 1_000_000);
    await send(upload, { from: 0, size: 10 ** 9 }, start, 100_000);
    const first = await upload.open();
    await first.bytes.next();
    const second = await upload.open();
    expect((await second.bytes.next()).value).to.deep.equal(start);
    const { stream } = upload;
    const failed = stream.failed.catch((error: unknown) => error);
    for (let sent = 0; sent < 5; sent += 1) {
      stream.append(Buffer.alloc(1_000_000));
      await second.bytes.next();
    }
    void upload.open();
    expect(await failed)
      .to.be.instanceOf(UploadRefusal)
      .that.includes({ status: 503 });
    expect(upload.stream.received).to.equal(0);
  });
});
