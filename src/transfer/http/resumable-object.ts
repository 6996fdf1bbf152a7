import type { ByteStream } from '../bytes.ts';
import { TransferError } from '../errors.ts';
import { Patience, type PatienceOptions } from '../patience.ts';
import type { Progress } from '../progress.ts';
import type { OpenedSource, RangeReader } from '../source.ts';
import type { HttpResponse } from './client.ts';
import { connectionFailure, statusFailure } from './failures.ts';
import { describeUrl } from './location.ts';

const LARGEST_IGNORED_BODY = 64 * 1024;

/** Asks for the object with these headers besides the caller's own. */
export type ObjectRequest = (headers: Record<string, string>) => Promise<HttpResponse>;

/** What the first answer told about an object, which later answers must agree with. */
interface Identity {
  size: number | undefined;
  entityTag: string | undefined;
  lastModified: string | undefined;
  acceptsRanges: boolean;
}

export interface ResumableObjectOptions {
  url: URL;
  request: ObjectRequest;
  progress: Progress;
  patience: PatienceOptions;
  signal?: AbortSignal | undefined;
}

/** One object of a web server, read as a whole or in parts. A cut connection is continued where it broke. */
export class ResumableObject {
  readonly #options: ResumableObjectOptions;
  #identity: Identity | undefined;

  constructor(options: ResumableObjectOptions) {
    this.#options = options;
  }

  async open(): Promise<OpenedSource> {
    const patience = this.#patience();
    // Asking for a range of everything tells whether the server knows ranges, without a request of its own.
    const { response, identity } = await patience.persist(
      () => this.#requestFirst(),
      (error) => this.#failure(error),
    );
    this.#identity = identity;
    const mediaType = response.headers['content-type'];
    return { bytes: this.#readAll(response, identity, patience), size: identity.size, mediaType };
  }

  async openRanges(): Promise<RangeReader | undefined> {
    const identity = this.#identity;
    const size = identity?.size;
    if (!identity?.acceptsRanges || size === undefined) return undefined;
    const versioned = (identity.entityTag ?? identity.lastModified) !== undefined;
    return { size, versioned, read: (offset, length) => this.#readRange(identity, offset, length) };
  }

  async #requestFirst(): Promise<{ response: HttpResponse; identity: Identity }> {
    const response = await this.#options.request({ range: 'bytes=0-' });
    const { status, headers } = response;
    const identity: Identity = {
      size: undefined,
      entityTag: strongEntityTag(headers.etag),
      lastModified: headers['last-modified'],
      acceptsRanges: false,
    };
    if (status === 206) {
      const range = parseContentRange(headers['content-range']);
      if (range?.start === 0) return { response, identity: { ...identity, size: range.total, acceptsRanges: true } };
      await discard(response);
      throw this.#violation('answered a request for its start with another range');
    }
    if (status === 200) {
      return { response, identity: { ...identity, size: contentLength(headers['content-length']) } };
    }
    await discard(response);
    if (status === 416 && parseUnsatisfiedTotal(headers['content-range']) === 0) {
      throw new TransferError('NotAnImage', `${describeUrl(response.url)} is empty`);
    }
    throw statusFailure(status, headers, response.url);
  }

  async *#readAll(first: HttpResponse, identity: Identity, patience: Patience): ByteStream {
    let offset = 0;
    let response: HttpResponse | undefined = first;
    let skip = 0;
    try {
      for (;;) {
        try {
          if (response === undefined) ({ response, skip } = await this.#continueAt(offset, identity));
          for await (const bytes of response.body as AsyncIterable<Buffer>) {
            const fresh = bytes.subarray(Math.min(skip, bytes.length));
            skip -= bytes.length - fresh.length;
            if (fresh.length === 0) continue;
            offset += fresh.length;
            patience.renew();
            this.#options.progress.read(fresh.length);
            yield fresh;
          }
          if (identity.size === undefined || offset === identity.size) return;
          if (offset > identity.size) throw this.#violation('sent more than it had announced');
          throw new TransferError(
            'ConnectionLost',
            `the connection to ${this.#options.url.host} ended ${identity.size - offset} bytes before the end of ` +
              describeUrl(this.#options.url),
          );
        } catch (error) {
          response?.body.destroy();
          response = undefined;
          await patience.afterFailure(this.#failure(error));
        }
      }
    } finally {
      response?.body.destroy();
    }
  }

  /** The answer that goes on at `offset`, and how much of its body is already known. */
  async #continueAt(offset: number, identity: Identity): Promise<{ response: HttpResponse; skip: number }> {
    if (offset === 0) {
      const { response, identity: now } = await this.#requestFirst();
      this.#requireSame(response, now.size, identity);
      return { response, skip: 0 };
    }
    const response = await this.#options.request(rangeHeaders(`bytes=${offset}-`, identity));
    const { status, headers } = response;
    if (status === 206) {
      const range = parseContentRange(headers['content-range']);
      if (range?.start !== offset) {
        await discard(response);
        throw this.#violation('answered with another range than the one asked for');
      }
      this.#requireSame(response, range.total, identity);
      return { response, skip: 0 };
    }
    if (status === 200) {
      this.#requireSame(response, contentLength(headers['content-length']), identity);
      if (identity.acceptsRanges) throw this.#changed(response);
      return { response, skip: offset };
    }
    await discard(response);
    if (status === 416) throw this.#changed(response);
    throw statusFailure(status, headers, response.url);
  }

  async #readRange(identity: Identity, offset: number, length: number): Promise<Buffer> {
    const result = Buffer.allocUnsafe(length);
    let done = 0;
    const patience = this.#patience();
    while (done < length) {
      let response: HttpResponse | undefined;
      try {
        const start = offset + done;
        response = await this.#options.request(rangeHeaders(`bytes=${start}-${offset + length - 1}`, identity));
        const range = parseContentRange(response.headers['content-range']);
        if (response.status === 200 || response.status === 416) throw this.#changed(response);
        if (response.status !== 206) throw statusFailure(response.status, response.headers, response.url);
        if (range?.start !== start) throw this.#violation('answered with another range than the one asked for');
        this.#requireSame(response, range.total, identity);
        for await (const bytes of response.body as AsyncIterable<Buffer>) {
          const copied = bytes.copy(result, done);
          done += copied;
          patience.renew();
          this.#options.progress.read(copied);
          if (copied < bytes.length) throw this.#violation('sent more than was asked for');
        }
      } catch (error) {
        response?.body.destroy();
        await patience.afterFailure(this.#failure(error));
      }
    }
    return result;
  }

  #requireSame(response: HttpResponse, size: number | undefined, identity: Identity): void {
    const { headers } = response;
    const sameSize = size === undefined || identity.size === undefined || size === identity.size;
    const sameVersion =
      identity.entityTag === undefined
        ? headers['last-modified'] === identity.lastModified
        : strongEntityTag(headers.etag) === identity.entityTag;
    if (!sameSize || !sameVersion) throw this.#changed(response);
  }

  #changed(response: HttpResponse): TransferError {
    response.body.destroy();
    return new TransferError('SourceChanged', `${describeUrl(this.#options.url)} changed while it was being read`);
  }

  #violation(what: string): TransferError {
    return new TransferError('ProtocolViolation', `the server of ${describeUrl(this.#options.url)} ${what}`);
  }

  #failure(error: unknown): TransferError {
    const { signal, url } = this.#options;
    signal?.throwIfAborted();
    const failure = connectionFailure(error, url);
    // Going on would mix two objects: whoever reads has to begin anew.
    if (failure.code === 'SourceChanged') throw failure;
    return failure;
  }

  #patience(): Patience {
    return new Patience(this.#options.patience, this.#options.progress, this.#options.signal);
  }
}

function rangeHeaders(range: string, identity: Identity): Record<string, string> {
  const validator = identity.entityTag ?? identity.lastModified;
  return { range, ...(validator === undefined ? {} : { 'if-range': validator }) };
}

/** Weak tags say that two versions mean the same, not that their bytes are the same. */
function strongEntityTag(header: string | undefined): string | undefined {
  return header?.startsWith('"') ? header : undefined;
}

function contentLength(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,15}$/.test(header) ? Number(header) : undefined;
}

/** RFC 9110 section 14.4 */
function parseContentRange(header: string | undefined): { start: number; total: number | undefined } | undefined {
  const match = /^bytes (\d{1,15})-\d{1,15}\/(\d{1,15}|\*)$/.exec(header ?? '');
  if (match === null) return undefined;
  return { start: Number(match[1]), total: match[2] === '*' ? undefined : Number(match[2]) };
}

function parseUnsatisfiedTotal(header: string | undefined): number | undefined {
  const match = /^bytes \*\/(\d{1,15})$/.exec(header ?? '');
  return match === null ? undefined : Number(match[1]);
}

async function discard(response: HttpResponse): Promise<void> {
  await response.body.dump({ limit: LARGEST_IGNORED_BODY });
}
