import { createHash, type Hash } from 'node:crypto';
import { TransferError } from '../../base/errors.ts';
import { ChainedHash } from '../../server/chained-hash.ts';
import type { Upload } from './upload.ts';
import { UploadRefusal } from './upload-refusal.ts';
import type { AnnouncedImage, UploadStream } from './upload-stream.ts';

/** What one request says of its bytes. */
export interface UploadOffer extends AnnouncedImage {
  /** Offset in the image of the first byte that is sent. */
  from: number;
  /** SHA-256 of the bytes that are sent, in lower-case hexadecimal. */
  sha256?: string | undefined;
  /** Digest of all bytes of the image before `from`, see {@link ChainedHash}. */
  prefixDigest?: string | undefined;
}

/** Feeds the bytes of one request to an upload. Bytes that were received before are compared by their digest. */
export class UploadFeed {
  readonly #upload: Upload;
  readonly #stream: UploadStream;
  readonly #offer: UploadOffer;
  /** Hash of the bytes of this request, where it is going to be compared. */
  readonly #body: Hash | undefined;
  /** Bytes from the start of the image that are compared, and their hash. */
  readonly #repeated: number;
  readonly #prefix = ChainedHash.create();
  #position: number;

  /**
   * @throws UploadRefusal where the bytes do not follow those that were received before, or there is nothing to follow
   */
  constructor(upload: Upload, offer: UploadOffer) {
    if (offer.size === 0) throw new UploadRefusal(400, 'the request has no bytes in its body: send the image in it');
    if (offer.from > 0) checkContinuation(upload, offer);
    if (upload.stream.hasEnded && isOther(upload.stream, offer)) throw alreadyReceived();
    upload.announce(offer);
    this.#upload = upload;
    this.#stream = upload.stream;
    this.#offer = offer;
    this.#position = offer.from;
    this.#repeated = offer.from === 0 ? this.#stream.received : 0;
    if (this.#repeated > 0) upload.awaitRepeated(this.#repeated);
    this.#body = offer.sha256 === undefined ? undefined : createHash('sha256');
  }

  /** Rejects with the failure of the upload. */
  get failed(): Promise<never> {
    return this.#stream.failed;
  }

  get #isRepeating(): boolean {
    return this.#position < this.#repeated;
  }

  /**
   * Takes the next bytes, which must not change any more.
   *
   * @throws UploadRefusal where they turn out to be of another image
   */
  write(bytes: Buffer): void {
    this.#body?.update(bytes);
    const repeated = bytes.subarray(0, Math.max(0, this.#repeated - this.#position));
    if (repeated.length > 0) this.#compare(repeated);
    const rest = bytes.subarray(repeated.length);
    if (rest.length > 0) this.#append(rest);
  }

  /** Calls back as soon as there is room for more bytes, or with the failure of the upload. */
  afterRoom(callback: (error?: Error) => void): void {
    this.#stream.afterRoom(callback);
  }

  /**
   * Takes notice that the request has sent all of its bytes.
   *
   * @returns whether the image is complete
   * @throws UploadRefusal where they turn out to be of another image
   * @throws TransferError ChecksumMismatch, with which the upload has failed as well
   */
  end(): boolean {
    if (!this.#isLast) {
      this.#checkDigest();
      return false;
    }
    if (this.#isRepeating || this.#upload.unconfirmed !== undefined || this.#hasOtherSize) throw this.#otherImage();
    this.#checkDigest();
    this.#stream.end();
    return true;
  }

  /**
   * Compares a SHA-256 of what was sent with the one that the client expects.
   *
   * @throws TransferError ChecksumMismatch, with which the upload has failed as well
   */
  compareDigests(actual: string, expected: string): void {
    if (actual === expected) return;
    const failure = new TransferError(
      'ChecksumMismatch',
      `the sha256 of what was uploaded is ${actual}, and ${expected} was expected: the file is another or damaged`,
    );
    this.#upload.fail(failure);
    throw failure;
  }

  get #isLast(): boolean {
    const { size } = this.#offer;
    return size === undefined || this.#position >= size;
  }

  /** Whether the image ends where it was not to end, by this request or by one before it. */
  get #hasOtherSize(): boolean {
    return [this.#offer.size, this.#stream.image?.size].some((size) => size !== undefined && size !== this.#position);
  }

  #compare(bytes: Buffer): void {
    this.#prefix.update(bytes);
    this.#position += bytes.length;
    if (this.#position === this.#repeated && this.#prefix.digest() !== this.#stream.digest()) {
      throw this.#otherImage();
    }
    if (!this.#isRepeating) this.#upload.awaitRepeated(0);
  }

  #append(bytes: Buffer): void {
    if (this.#stream.hasEnded) throw alreadyReceived();
    this.#position += bytes.length;
    const earlier = this.#upload.unconfirmed;
    const missing = earlier === undefined ? 0 : earlier.received - this.#stream.received;
    if (earlier === undefined || bytes.length < missing) {
      this.#stream.append(bytes);
      return;
    }
    // Nothing after them reaches the import before it is known whether they are the same.
    this.#stream.append(bytes.subarray(0, missing));
    if (this.#stream.digest() !== earlier.digest) throw this.#otherImage();
    this.#upload.confirm();
    this.#stream.append(bytes.subarray(missing));
  }

  #checkDigest(): void {
    const { sha256 } = this.#offer;
    if (sha256 !== undefined && this.#body !== undefined) this.compareDigests(this.#body.copy().digest('hex'), sha256);
  }

  #otherImage(): UploadRefusal {
    return this.#stream.hasEnded ? alreadyReceived() : this.#upload.startOver();
  }
}

function checkContinuation(upload: Upload, { from, size, prefixDigest }: UploadOffer): void {
  if (from !== upload.received || isOtherSize(upload, size)) {
    throw new UploadRefusal(
      416,
      `${upload.received} bytes have been received: send the image from there, or all of it`,
    );
  }
  if (prefixDigest === undefined) {
    throw new UploadRefusal(
      400,
      'the request continues an upload, and does not say the SHA-256 of what comes before: send that, or all of the image',
    );
  }
  if (!upload.goesOnAfter(prefixDigest)) {
    throw new UploadRefusal(
      412,
      'this is another image than the one of which a part has been received: send all of it from its first byte',
    );
  }
}

function isOther(stream: UploadStream, { size }: UploadOffer): boolean {
  return size !== undefined && size !== stream.received;
}

function isOtherSize({ size }: Upload, offered: number | undefined): boolean {
  return offered !== undefined && size !== undefined && offered !== size;
}

function alreadyReceived(): UploadRefusal {
  return new UploadRefusal(
    409,
    'another image has been received already, and is being written: nothing can replace it',
  );
}
