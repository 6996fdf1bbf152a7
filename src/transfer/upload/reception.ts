import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Readable, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { SHA256_HEADER, type uploadPaths } from '../../server/upload-protocol.ts';
import { readForm } from './form-part.ts';
import type { Upload } from './upload.ts';
import { UploadFeed } from './upload-feed.ts';
import { digestIn, parseFormOffer, parseOffer } from './upload-headers.ts';
import type { UploadRefusal } from './upload-refusal.ts';

/** Bytes of a body that are read ahead, besides those of the upload. */
const READ_AHEAD = 256 * 1024;

/** The bytes of one request on their way into an upload. */
export class Reception {
  readonly #upload: Upload;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #stopped = Promise.withResolvers<never>();
  #bytes = 0;
  #isHeldBack = false;
  #feed: UploadFeed | undefined;

  constructor(upload: Upload, request: IncomingMessage, response: ServerResponse) {
    this.#upload = upload;
    this.#request = request;
    this.#response = response;
    this.#stopped.promise.catch(() => undefined);
  }

  /** Bytes that have come. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether the client may be waiting for the server, and not the other way round. */
  get isHeldBack(): boolean {
    return this.#isHeldBack || this.#request.complete;
  }

  /** Ends the request at once. */
  stop(refusal: UploadRefusal): void {
    this.#stopped.reject(refusal);
  }

  /**
   * Receives the body. The connection is kept whatever happens, so that the client can be told.
   *
   * @returns whether the image is complete
   * @throws UploadRefusal, TransferError; any other error where the connection broke
   */
  async receive({ form }: (typeof uploadPaths)[keyof typeof uploadPaths]): Promise<boolean> {
    return form ? this.#receiveForm() : this.#receiveBody();
  }

  /**
   * Waits for the end of something else, for as long as the client is there.
   *
   * @throws UploadRefusal; any other error where the connection broke
   */
  async await(outcome: Promise<void>): Promise<void> {
    const left = finished(this.#response, { readable: false }).then(() => {
      throw new Error('the client has left');
    });
    left.catch(() => undefined);
    await Promise.race([outcome, this.#ended(), left]);
  }

  async #receiveBody(): Promise<boolean> {
    const feed = new UploadFeed(this.#upload, parseOffer(this.#request.headers));
    this.#feed = feed;
    this.#continue();
    await this.#pump(this.#request, feed);
    return feed.end();
  }

  async #receiveForm(): Promise<boolean> {
    const { headers } = this.#request;
    const offer = parseFormOffer(headers);
    const expected = digestIn(headers, SHA256_HEADER);
    const hash = createHash('sha256');
    if (expected !== undefined) this.#request.on('data', (bytes: Buffer) => hash.update(bytes));
    this.#continue();
    const feed = await readForm(this.#request, async (part, partHeaders) => {
      const image = new UploadFeed(this.#upload, { ...offer, sha256: digestIn(partHeaders, SHA256_HEADER) });
      this.#feed = image;
      await this.#pump(part, image);
      return image;
    });
    if (expected !== undefined) feed.compareDigests(hash.digest('hex'), expected);
    return feed.end();
  }

  #continue(): void {
    if (this.#request.headers.expect !== undefined) this.#response.writeContinue();
  }

  /** Rejects when the request has to end, whatever it is doing. */
  #ended(): Promise<never> {
    return Promise.race([this.#stopped.promise, ...(this.#feed === undefined ? [] : [this.#feed.failed])]);
  }

  /** Passes everything on, without declaring the end. */
  async #pump(input: Readable, feed: UploadFeed): Promise<void> {
    const collector = new Writable({
      highWaterMark: READ_AHEAD,
      write: (chunk: Buffer, _encoding, done) => {
        this.#bytes += chunk.length;
        try {
          feed.write(chunk);
        } catch (error) {
          done(error as Error);
          return;
        }
        this.#isHeldBack = true;
        feed.afterRoom((error) => {
          this.#isHeldBack = false;
          done(error);
        });
      },
    });
    const taken = finished(collector);
    taken.catch(() => undefined);
    input.pipe(collector);
    try {
      // A connection that breaks does not end the collector by itself.
      const read = finished(this.#request).then(() => taken);
      read.catch(() => undefined);
      await Promise.race([taken, read, this.#ended()]);
    } finally {
      input.unpipe(collector);
      collector.destroy();
    }
  }
}
