import { TransferError } from '../errors.ts';
import type { HttpResponse } from './client.ts';
import { connectionFailure, statusFailure } from './failures.ts';
import { describeUrl } from './location.ts';
import {
  identityOf,
  isSameObject,
  parseContentLength,
  parseContentRange,
  parseUnsatisfiedTotal,
  rangeHeaders,
  versionOf,
  type ObjectIdentity,
} from './object-identity.ts';

const LARGEST_IGNORED_BODY = 64 * 1024;

/** Asks for the object with these headers besides the caller's own. */
export type ObjectRequest = (headers: Record<string, string>) => Promise<HttpResponse>;

export interface Answer {
  response: HttpResponse;
  /** The first offset of the object that it does not reach; undefined where only its end tells. */
  end: number | undefined;
}

/** Asks for one object or parts of it, and checks of each answer, before a byte is read, that it is what was asked for. */
export class ObjectRequests {
  readonly url: URL;
  readonly #request: ObjectRequest;
  readonly #signal: AbortSignal | undefined;

  constructor(url: URL, request: ObjectRequest, signal: AbortSignal | undefined) {
    this.url = url;
    this.#request = request;
    this.#signal = signal;
  }

  /**
   * Asks for the object's start. That it is asked for as a range tells whether the server knows ranges.
   *
   * @param length in bytes; all of it where it is undefined
   */
  async first(length?: number): Promise<Answer & { identity: ObjectIdentity }> {
    const response = await this.#request(rangeHeaders(0, length));
    const { status, headers } = response;
    if (status === 206) {
      const range = parseContentRange(headers['content-range']);
      if (range?.start === 0) {
        const identity = identityOf(headers, { size: range.total, acceptsRanges: true });
        return { response, end: range.end, identity };
      }
      await discard(response);
      throw this.violation('answered a request for its start with another range');
    }
    if (status === 200) {
      const size = parseContentLength(headers['content-length']);
      return { response, end: size, identity: identityOf(headers, { size, acceptsRanges: false }) };
    }
    await discard(response);
    if (status === 416 && parseUnsatisfiedTotal(headers['content-range']) === 0) {
      throw new TransferError('NotAnImage', `${describeUrl(response.url)} is empty`);
    }
    throw statusFailure(status, headers, response.url);
  }

  /**
   * Asks for a part of an object that is known.
   *
   * @param end the first offset that is not wanted; all the rest is where it is undefined
   * @throws TransferError SourceChanged
   */
  async range(start: number, end: number | undefined, known: ObjectIdentity): Promise<Answer> {
    const response = await this.#request(rangeHeaders(start, end, known));
    const { status, headers } = response;
    if (status === 206) {
      const range = parseContentRange(headers['content-range']);
      if (range?.start !== start || (end !== undefined && range.end > end)) {
        await discard(response);
        throw this.violation('answered with another range than the one asked for');
      }
      if (!isSameObject(headers, range.total, known)) throw this.changed(response);
      return { response, end: range.end };
    }
    // To who asks for a certain version, another one is sent as a whole.
    if (status === 200 || (status === 416 && versionOf(known) === undefined)) throw this.changed(response);
    await discard(response);
    if (status === 416) throw this.violation(`announced ${known.size} bytes and has none from byte ${start} on`);
    throw statusFailure(status, headers, response.url);
  }

  /** Asks for a known object from its start once more, where its server has no ranges. */
  async again(known: ObjectIdentity): Promise<Answer> {
    const { response, end, identity } = await this.first();
    if (!isSameObject(response.headers, identity.size, known)) throw this.changed(response);
    return { response, end };
  }

  /**
   * What a failure while the object was read means. SourceChanged is thrown: going on would mix two objects.
   *
   * @param silentFrom from where on an answer that came has brought nothing, if that is so
   */
  failure(error: unknown, silentFrom?: number): TransferError {
    this.#signal?.throwIfAborted();
    const failure = connectionFailure(error, this.url);
    if (failure.code === 'SourceChanged') throw failure;
    if (failure.code !== 'ConnectionLost' || silentFrom === undefined) return failure;
    return new TransferError(
      'SourceStalled',
      `${this.url.host} answers, but sends nothing of ${describeUrl(this.url)} from byte ${silentFrom} on: ` +
        'see whether its file can be read there, and whether a proxy, firewall or virus scanner on the way holds it back',
      { cause: error },
    );
  }

  violation(what: string): TransferError {
    return new TransferError('ProtocolViolation', `the server of ${describeUrl(this.url)} ${what}`);
  }

  /** A body that has ended before all of it was there. */
  endedEarly(missing: number): TransferError {
    return new TransferError(
      'ConnectionLost',
      `the connection to ${this.url.host} ended ${missing} bytes before the end of ${describeUrl(this.url)}`,
    );
  }

  /** A server without ranges whose answers have ended at the same byte again and again. */
  alwaysEndsAt(offset: number, { size }: ObjectIdentity): TransferError {
    const announced = size === undefined ? '' : `announced ${size} bytes and `;
    return this.violation(
      `${announced}ends every answer after ${offset} bytes: its file is incomplete, or something on the way cuts it off`,
    );
  }

  changed(response: HttpResponse): TransferError {
    response.body.destroy();
    return new TransferError('SourceChanged', `${describeUrl(this.url)} changed while it was being read`);
  }
}

async function discard(response: HttpResponse): Promise<void> {
  await response.body.dump({ limit: LARGEST_IGNORED_BODY });
}
