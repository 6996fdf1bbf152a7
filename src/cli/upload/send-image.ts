import { STATUS_CODES } from 'node:http';
import { Readable } from 'node:stream';
import type { ByteStream } from '../../base/bytes.ts';
import type { Checksum } from '../../base/checksum.ts';
import { asTransferError, TransferError, type TransferErrorCode } from '../../base/errors.ts';
import { Patience, type PatienceOptions } from '../../base/patience.ts';
import type { Progress } from '../../base/progress.ts';
import { PREFIX_SHA256_HEADER, SHA256_HEADER } from '../../server/upload-protocol.ts';
import { ImageHash } from './image-hash.ts';
import type { LocalImage } from './local-image.ts';
import { PrefixHashes } from './prefix-hashes.ts';
import type { UploadTokens } from './tokens.ts';
import type { UploadAnswer, UploadProxy } from './upload-proxy.ts';

/** A proxy and a server behind it are started anew within a minute; a network is repaired within ten. */
const PATIENCE: PatienceOptions = { giveUpAfter: 600_000, firstDelay: 250, longestDelay: 10_000 };

export interface SendOptions {
  readonly image: LocalImage;
  readonly proxy: UploadProxy;
  readonly tokens: UploadTokens;
  readonly progress: Progress;
  /** What the image must have as SHA-256. */
  readonly checksum?: Checksum | undefined;
  /** Reports whether the target has its data; throws TransferError where the upload has failed for good. */
  readonly isComplete: () => Promise<boolean>;
  readonly patience?: PatienceOptions;
  readonly signal: AbortSignal;
}

/**
 * Sends an image until the server has all of it. What breaks is retried, and goes on after what the server has.
 *
 * @throws TransferError
 */
export async function sendImage(options: SendOptions): Promise<void> {
  await new ImageSender(options).send();
}

class ImageSender {
  readonly #options: SendOptions;
  readonly #patience: Patience;
  #hashes: PrefixHashes<ImageHash>;
  /** Of the image that the hashes are of. */
  #version: string | undefined;
  /** Whether the next request sends all of the image, because the server has the beginning of another one. */
  #startsOver = false;
  #unauthorized = 0;

  constructor(options: SendOptions) {
    this.#options = options;
    this.#hashes = this.#newHashes();
    this.#patience = new Patience(options.patience ?? PATIENCE, options.progress, options.signal);
  }

  async send(): Promise<void> {
    const { isComplete, signal } = this.#options;
    for (;;) {
      try {
        await this.#sendOnce();
        return;
      } catch (error) {
        signal.throwIfAborted();
        const failure = asTransferError(error);
        // What it says itself is better than what was seen of it from here.
        if (!failure.permanent || failure.code === 'RequestRejected') {
          if (await isComplete().catch(onlyPermanent)) return;
        }
        await this.#patience.afterFailure(failure);
      }
    }
  }

  async #sendOnce(): Promise<void> {
    const { image, proxy, tokens, progress, signal } = this.#options;
    progress.enter('connecting');
    const token = await tokens.current(signal);
    const { received } = this.#accepted(await proxy.head(token, signal));
    const { size } = image;
    const from = size !== undefined && image.isRepeatable && received < size && !this.#startsOver ? received : 0;
    this.#startsOver = false;
    progress.restart();
    progress.counters.bytesTotal = size;
    progress.skip(from);
    if (from > 0) progress.enter('comparing', { position: from });
    const hashes = await this.#currentHashes();
    const hash = await hashes.upTo(from, (start, end) => this.#stoppable(image.read(start, end)));
    const prefix = hash.chained.digest();
    if (from > 0) progress.note('resuming', { position: from });
    progress.enter('uploading');
    const answer = await proxy.post(
      token,
      { headers: this.#headers(from, prefix), body: Readable.from(this.#body(from, hash)) },
      signal,
    );
    if (answer.status === 412) {
      this.#startsOver = true;
      progress.note('starting over', { why: answer.message });
    }
    this.#accepted(answer);
  }

  /** Hashes of a file that was written meanwhile would let two images become one. */
  async #currentHashes(): Promise<PrefixHashes<ImageHash>> {
    const version = await this.#options.image.version();
    if (version !== this.#version) this.#hashes = this.#newHashes();
    this.#version = version;
    return this.#hashes;
  }

  #newHashes(): PrefixHashes<ImageHash> {
    return new PrefixHashes(ImageHash.create({ withWhole: this.#options.checksum !== undefined }));
  }

  #headers(from: number, prefixSha256: string): Record<string, string> {
    const { checksum, image } = this.#options;
    const { size } = image;
    const headers: Record<string, string> = { 'content-type': 'application/octet-stream' };
    if (size !== undefined) headers['content-length'] = String(size - from);
    if (from > 0) {
      headers['content-range'] = `bytes ${from}-${(size ?? 0) - 1}/${size ?? 0}`;
      headers[PREFIX_SHA256_HEADER] = prefixSha256;
    } else if (checksum !== undefined) {
      headers[SHA256_HEADER] = checksum.hex;
    }
    return headers;
  }

  async *#body(from: number, hash: ImageHash): ByteStream {
    const { image, progress, checksum } = this.#options;
    const hashed = this.#hashes.follow(image.read(from), from, hash);
    const bytes = checksum === undefined ? hashed : verifiedBeforeEnd(hashed, hash, checksum, image.location);
    for await (const chunk of bytes) {
      yield chunk;
      progress.read(chunk.length);
      this.#patience.received(chunk.length);
    }
  }

  async *#stoppable(stream: ByteStream): ByteStream {
    for await (const chunk of stream) {
      this.#options.signal.throwIfAborted();
      yield chunk;
    }
  }

  /** @throws TransferError where an answer is not success */
  #accepted(answer: UploadAnswer): UploadAnswer {
    if (answer.status === 200) {
      this.#unauthorized = 0;
      return answer;
    }
    let code = codeOf(answer.status);
    if (answer.status === 401) {
      // A token that has expired on the way is replaced; one that is refused at once is not going to be accepted.
      this.#options.tokens.forget();
      this.#unauthorized += 1;
      if (this.#unauthorized === 1) code = 'ServerUnavailable';
    }
    const { url } = this.#options.proxy;
    const message =
      answer.message ||
      `the upload proxy at ${url.origin} answered ${answer.status} ${STATUS_CODES[answer.status] ?? ''}`;
    throw new TransferError(code, message, answer.retryAfter === undefined ? {} : { retryAfter: answer.retryAfter });
  }
}

function codeOf(status: number): TransferErrorCode {
  if (status === 401) return 'Unauthorized';
  if (status === 403) return 'Forbidden';
  if (status === 404) return 'NotFound';
  if (status === 429) return 'TooManyRequests';
  // What the server has is another beginning, or not as long as it was: it is asked again.
  if (status === 412 || status === 416) return 'SourceChanged';
  if (status === 408 || status === 425 || (status >= 500 && status !== 501 && status !== 505))
    return 'ServerUnavailable';
  return 'RequestRejected';
}

/** A cluster that does not answer for a while says nothing about the upload. */
function onlyPermanent(error: unknown): false {
  if (error instanceof TransferError && !error.permanent) return false;
  throw error;
}

/**
 * Passes a stream on, but for its last chunk if that makes it another one than expected: the server then never has all
 * of it.
 *
 * @param hash of all chunks that have been read, with that of the whole
 */
async function* verifiedBeforeEnd(
  stream: ByteStream,
  hash: ImageHash,
  checksum: Checksum,
  location: string,
): ByteStream {
  let last: Buffer | undefined;
  for await (const chunk of stream) {
    if (last !== undefined) yield last;
    last = chunk;
  }
  const actual = hash.whole?.copy().digest('hex');
  if (actual !== checksum.hex) {
    throw new TransferError(
      'ChecksumMismatch',
      `the sha256 of ${location} is ${actual}, and ${checksum.hex} was expected: the file is another or damaged`,
    );
  }
  if (last !== undefined) yield last;
}
