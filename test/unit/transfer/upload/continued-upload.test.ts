import { expect } from 'chai';
import * as fc from 'fast-check';
import { TransferError } from '../../../../src/base/errors.ts';
import { Progress } from '../../../../src/base/progress.ts';
import { BLOCK_BYTES, ChainedHash } from '../../../../src/server/chained-hash.ts';
import { Upload } from '../../../../src/transfer/upload/upload.ts';
import { UploadFeed, type UploadOffer } from '../../../../src/transfer/upload/upload-feed.ts';
import type { UploadRecord } from '../../../../src/transfer/upload/upload-record.ts';
import { UploadRefusal } from '../../../../src/transfer/upload/upload-refusal.ts';
import { noise } from '../../../integration/support/images.ts';

const image = noise('continued', 3.5 * BLOCK_BYTES);

function digestOf(bytes: Buffer): string {
  const hash = ChainedHash.create();
  hash.update(bytes);
  return hash.digest();
}

const restOf = (bytes: Buffer, from: number): UploadOffer => ({
  from,
  size: bytes.length,
  ...(from > 0 && { prefixDigest: digestOf(bytes.subarray(0, from)) }),
});

/** What a process leaves that has received and written so much. */
function recordOf(received: number, written: number): UploadRecord {
  const upload = new Upload(new Progress());
  upload.announce({ size: image.length });
  upload.stream.append(image.subarray(0, received));
  return { ...upload.mark(written), checkpoint: 'of the import' };
}

/** Sends what follows a place, up to another one, and returns what a reader gets of it. */
async function sendAndRead(upload: Upload, bytes: Buffer, from: number, to: number): Promise<Buffer> {
  const feed = new UploadFeed(upload, restOf(bytes, from));
  const parts: Buffer[] = [];
  const reading = (async () => {
    for await (const part of (await upload.open()).bytes) parts.push(Buffer.from(part));
  })();
  reading.catch(() => undefined);
  for (let at = from; at < to; at += 300_000) {
    feed.write(bytes.subarray(at, Math.min(to, at + 300_000)));
    await new Promise<void>((resolve, reject) => feed.afterRoom((error) => (error ? reject(error) : resolve())));
  }
  if (feed.end()) await reading;
  return Buffer.concat(parts);
}

const place = fc.integer({ min: 0, max: image.length });

describe('an upload of which an earlier process has written a part', () => {
  it('goes on at the last block that was written', async () => {
    await fc.assert(
      fc.asyncProperty(place, place, async (one, other) => {
        const [received, written] = [Math.max(one, other), Math.min(one, other)];
        const upload = new Upload(new Progress(), recordOf(received, written));
        const from = Math.floor(written / BLOCK_BYTES) * BLOCK_BYTES;
        expect(upload.received).to.equal(from);
        const read = await sendAndRead(upload, image, from, image.length);
        expect(read.equals(image.subarray(from))).to.equal(true);
        expect(upload.isUnconfirmed).to.equal(false);
      }),
      { numRuns: 20 },
    );
  });

  it('tells a reader where it begins, and the next process where it goes on', async () => {
    const upload = new Upload(new Progress(), recordOf(2.2 * BLOCK_BYTES, 1.5 * BLOCK_BYTES));
    const feed = new UploadFeed(upload, restOf(image, BLOCK_BYTES));
    const { startsAt, size } = await upload.open();
    expect({ startsAt, size }).to.deep.equal({ startsAt: BLOCK_BYTES, size: image.length });
    feed.write(image.subarray(BLOCK_BYTES, 3.2 * BLOCK_BYTES));
    const record = { ...upload.mark(3.1 * BLOCK_BYTES), checkpoint: '' };
    expect(record.continues).to.deep.equal({
      position: 3 * BLOCK_BYTES,
      digest: digestOf(image.subarray(0, 3 * BLOCK_BYTES)),
    });
    expect(new Upload(new Progress(), record).received).to.equal(3 * BLOCK_BYTES);
  });

  it('may be sent from its first byte as well, and again', async () => {
    const upload = new Upload(new Progress(), recordOf(2.2 * BLOCK_BYTES, 1.5 * BLOCK_BYTES));
    new UploadFeed(upload, restOf(image, BLOCK_BYTES)).write(image.subarray(BLOCK_BYTES, 3 * BLOCK_BYTES));
    expect(upload.received).to.equal(3 * BLOCK_BYTES);
    const feed = new UploadFeed(upload, restOf(image, 0));
    feed.write(image);
    expect(feed.end()).to.equal(true);
  });

  it('is not continued with another image', () => {
    const other = noise('other', image.length);
    const upload = new Upload(new Progress(), recordOf(2.2 * BLOCK_BYTES, 1.5 * BLOCK_BYTES));
    const attempt = (offer: UploadOffer): unknown => {
      try {
        return new UploadFeed(upload, offer);
      } catch (error) {
        return error;
      }
    };
    expect(attempt(restOf(other, BLOCK_BYTES)))
      .to.be.instanceOf(UploadRefusal)
      .that.includes({ status: 412 });
    const longer = { ...restOf(image, BLOCK_BYTES), size: image.length + 1 };
    expect(attempt(longer)).to.be.instanceOf(UploadRefusal).that.includes({ status: 416 });
    expect(attempt(restOf(image, 100)))
      .to.be.instanceOf(UploadRefusal)
      .that.includes({ status: 416 });
    expect(attempt({ from: BLOCK_BYTES, size: image.length }))
      .to.be.instanceOf(UploadRefusal)
      .that.includes({ status: 400 });
    expect(upload.received).to.equal(BLOCK_BYTES);
  });

  it('starts over where it differs behind that block in what had been received', async () => {
    const alike = Buffer.from(image);
    alike.writeUInt8(alike.readUInt8(2 * BLOCK_BYTES) ^ 1, 2 * BLOCK_BYTES);
    const upload = new Upload(new Progress(), recordOf(2.2 * BLOCK_BYTES, 1.5 * BLOCK_BYTES));
    const error: unknown = await sendAndRead(upload, alike, BLOCK_BYTES, alike.length).catch(
      (reason: unknown) => reason,
    );
    expect(error).to.be.instanceOf(UploadRefusal).that.includes({ status: 503 });
    expect(upload.received).to.equal(0);
  });

  it('is asked for from its first byte where the import cannot be resumed', async () => {
    const upload = new Upload(new Progress(), recordOf(2.2 * BLOCK_BYTES, 1.5 * BLOCK_BYTES));
    const feed = new UploadFeed(upload, restOf(image, BLOCK_BYTES));
    const failed = feed.failed.catch((error: unknown) => error);
    const { bytes } = await upload.open();
    await bytes.return();
    const again = upload.open();
    expect(await failed)
      .to.be.instanceOf(UploadRefusal)
      .that.includes({ status: 503 });
    expect(upload.received).to.equal(0);
    upload.fail(new TransferError('Interrupted', 'the end'));
    await again.catch(() => undefined);
  });
});
