import { TransferError } from '../../base/errors.ts';
import type { Progress } from '../../base/progress.ts';
import type { OpenedSource, Source } from '../../base/source.ts';
import type { RecordedUpload, UploadRecord } from './upload-record.ts';
import { UploadRefusal } from './upload-refusal.ts';
import { type AnnouncedImage, type Place, UploadStream } from './upload-stream.ts';

/**
 * One image that clients send, in as many requests as it takes, and that an import reads while it arrives.
 *
 * Where the bytes have to come again, be it that another image is sent or that the import has to read the same one
 * twice, the reader gets SourceChanged or a new stream, and the client is asked to send all of it again.
 */
export class Upload implements Source, RecordedUpload {
  readonly location = 'the upload';
  readonly #progress: Progress;
  #stream: UploadStream;
  #record: UploadRecord | undefined;
  #failure: { error: unknown } | undefined;

  /** @param record what an earlier process has stored */
  constructor(progress: Progress, record?: UploadRecord) {
    this.#progress = progress;
    this.#record = record;
    this.#stream = new UploadStream(progress, record?.version);
  }

  /** The bytes that are received now. */
  get stream(): UploadStream {
    return this.#stream;
  }

  /** What an earlier process received of the image, until it is confirmed that the same one is sent again. */
  get unconfirmed(): UploadRecord | undefined {
    return this.#record;
  }

  get isUnconfirmed(): boolean {
    return this.#record !== undefined;
  }

  /** Bytes, from the first one on, that a client need not send; another one may have to send all of them. */
  get received(): number {
    return this.#place?.position ?? this.#stream.received;
  }

  mark(neededFrom: number): Omit<UploadRecord, 'checkpoint'> {
    const { version, received, image } = this.#stream;
    const size = image?.size;
    const digest = this.#stream.digest();
    // Without its size, only the end of the image tells whether it is what it looks like.
    const continues = size === undefined ? undefined : this.#stream.lastBlockBefore(neededFrom);
    return {
      ...{ version, received, digest },
      ...(size === undefined ? {} : { size }),
      ...(continues === undefined || continues.position === 0 ? {} : { continues }),
    };
  }

  /** Size of the image in bytes, where known. */
  get size(): number | undefined {
    return this.#stream.image?.size ?? this.#record?.size;
  }

  /**
   * Lets the next bytes follow {@link received}.
   *
   * @param digest of what comes before them
   * @returns false where that is of another image
   */
  goesOnAfter(digest: string): boolean {
    const place = this.#place;
    if (place === undefined) return this.#stream.digest() === digest;
    if (place.digest !== digest) return false;
    this.#stream.beginAfter(place);
    return true;
  }

  /** Declares which image the next bytes are of: another one than before where the sizes differ. */
  announce(image: AnnouncedImage): void {
    if (differs(this.#stream.image?.size, image.size)) {
      this.#restart('an image of another size is sent');
    } else if (differs(this.#record?.size, image.size)) {
      this.#record = undefined;
      this.#stream = new UploadStream(this.#progress);
    }
    this.#stream.announce(image);
  }

  /** Reports that bytes which were received before have to come again first; 0 once they have. */
  awaitRepeated(bytes: number): void {
    this.#progress.waitFor(
      bytes === 0 ? undefined : `the first ${bytes} bytes, which are only compared, to come again`,
    );
  }

  /** Declares that the image is the one that an earlier process received. */
  confirm(): void {
    this.#record = undefined;
  }

  /**
   * Drops what was received, because another image is sent.
   *
   * @returns the answer for the client, whose first bytes are gone
   */
  startOver(): UploadRefusal {
    this.#restart('another image is sent');
    return new UploadRefusal(
      503,
      'this is another image than the one of which a part was received before; that part is dropped now: send the ' +
        'image again',
    );
  }

  /** Ends the upload with a failure, whether anything is being received or not. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#stream.fail(error);
  }

  async open(): Promise<OpenedSource> {
    if (this.#stream.isRead && !this.#stream.rewind()) this.#askAgain();
    for (;;) {
      const stream = this.#stream;
      if (this.#failure !== undefined) throw this.#failure.error as Error;
      const { size, transferSize, encoding } = await stream.announced();
      // While the announcement was on its way, another image may have come.
      if (stream !== this.#stream) continue;
      return {
        bytes: stream.read(),
        ...(stream.start > 0 && { startsAt: stream.start }),
        size,
        ...(transferSize === undefined ? {} : { transferSize }),
        mediaType: undefined,
        encoding,
        version: stream.version,
      };
    }
  }

  /** Where a client may go on in place of sending everything that an earlier process received. */
  get #place(): Place | undefined {
    return this.#stream.image === undefined ? this.#record?.continues : undefined;
  }

  async openRanges(): Promise<undefined> {
    return undefined;
  }

  async close(): Promise<void> {
    // What is still received is dropped when the server is told how the import has ended.
  }

  #restart(why: string): void {
    this.#replace(why, new TransferError('SourceChanged', `${this.location} is no longer what it was: ${why}`));
  }

  #askAgain(): void {
    const why = 'the image has to be read twice, and its first bytes are gone';
    this.#replace(why, new UploadRefusal(503, `${why}: send the image again`));
  }

  /** @param failure what the reader and the client of the present stream get */
  #replace(why: string, failure: Error): void {
    const dropped = this.#stream;
    this.#record = undefined;
    this.#stream = new UploadStream(this.#progress);
    this.#progress.note('starting over', { why, received: dropped.received });
    dropped.fail(failure);
  }
}

function differs(before: number | undefined, now: number | undefined): boolean {
  return before !== undefined && now !== undefined && before !== now;
}
