import { TransferError } from '../../base/errors.ts';
import type { HttpResponse } from './client.ts';
import { connectionFailure, statusFailure } from './failures.ts';
import { describeUrl } from './location.ts';
import {
  announcedRanges,
  guardHeader,
  hasOtherTagOnly,
  identityOf,
  isSameObject,
  type ObjectIdentity,
  parseContentLength,
  parseContentRange,
  parseUnsatisfiedTotal,
  rangeHeader,
  type Ranges,
} from './object-identity.ts';
import { type ObjectRequest, SettledRequest } from './settled-request.ts';

const LARGEST_IGNORED_BODY = 64 * 1024;

export interface Answer {
  response: HttpResponse;
  /** Offset in the object at which it begins. */
  start: number;
  /** Offset in the object at which it ends; undefined where only its end tells. */
  end: number | undefined;
}

/**
 * Requests an object or parts of it, and verifies of each response, before a byte is read, that it is what was
 * requested.
 */
export class ObjectRequests {
  readonly url: URL;
  readonly #request: SettledRequest;
  readonly #signal: AbortSignal | undefined;
  /** Some servers support ranges, but do not accept the object's validator in If-Range. */
  #guards = true;
  #rangesFail = false;
  #changes = 0;

  constructor(url: URL, request: ObjectRequest, signal: AbortSignal | undefined) {
    this.url = url;
    this.#request = new SettledRequest(request);
    this.#signal = signal;
  }

  /** How many times the object has changed. */
  get changes(): number {
    return this.#changes;
  }

  /**
   * Requests the start of the object, as a range, which shows whether the server supports ranges.
   *
   * @param length in bytes; undefined for all of it
   */
  async first(length?: number): Promise<Answer & { identity: ObjectIdentity }> {
    this.#request.leave();
    if (this.#rangesFail) return this.#whole(await this.#request.ask({}), 'none');
    const response = await this.#request.ask(rangeHeader(0, length));
    const { status, headers } = response;
    if (status === 206) {
      const range = parseContentRange(headers['content-range']);
      if (range?.start === 0) {
        const identity = identityOf(headers, { size: range.total, ranges: 'proven' });
        return { response, start: 0, end: range.end, identity };
      }
      // The response may have several parts, or not say which part it is.
      response.body.destroy();
      return this.#whole(await this.#request.ask({}), 'none');
    }
    if (status === 416) {
      await discard(response);
      if (parseUnsatisfiedTotal(headers['content-range']) === 0) {
        throw new TransferError('NotAnImage', `${describeUrl(response.url)} is empty`);
      }
      // Some servers support only ranges with an end.
      return this.#whole(await this.#request.ask({}), 'announced');
    }
    return this.#whole(response, announcedRanges(headers['accept-ranges']));
  }

  /**
   * Whether the server supports ranges, even where its response to a request for the whole object is the same as
   * without a range.
   */
  async provesRanges(known: ObjectIdentity): Promise<boolean> {
    const last = (known.size ?? 0) - 1;
    if (last < 1) return false;
    const response = await this.#request.ask(rangeHeader(last, last + 1));
    const range = parseContentRange(response.headers['content-range']);
    const isProof = response.status === 206 && range?.start === last && range.end === last + 1;
    if (isProof) await discard(response);
    else response.body.destroy();
    return isProof && isSameObject(response.headers, range.total, known);
  }

  /**
   * Requests a part of a known object. Where the server sends the whole object instead, that is the result.
   *
   * @param end the first offset that is not requested; undefined for the rest
   * @throws TransferError SourceChanged
   */
  async range(start: number, end: number | undefined, known: ObjectIdentity): Promise<Answer> {
    const isProven = known.ranges === 'proven';
    const guard = this.#guards && isProven ? guardHeader(known) : undefined;
    const response = await this.#request.ask({ ...rangeHeader(start, end), ...guard });
    const { status, headers } = response;
    if (status === 206) {
      const range = parseContentRange(headers['content-range']);
      if (range?.start !== start || (end !== undefined && range.end > end)) {
        if (isProven) throw this.withoutRanges(response);
        response.body.destroy();
        return this.again(known);
      }
      if (!isSameObject(headers, range.total, known, guard !== undefined)) throw this.changed(response, known);
      return { response, start, end: range.end };
    }
    if (status === 200) {
      const size = parseContentLength(headers['content-length']);
      if (!isSameObject(headers, size, known)) throw this.changed(response, known);
      if (guard === undefined) return { response, start: 0, end: size };
      response.body.destroy();
      this.#guards = false;
      return this.range(start, end, known);
    }
    if (status === 416 && guard === undefined) {
      if (isProven) throw this.changed(response, known);
      await discard(response);
      return this.again(known);
    }
    await discard(response);
    if (status === 416) throw this.violation(`announced ${known.size} bytes and has none from byte ${start} on`);
    throw statusFailure(status, headers, response.url);
  }

  /** Requests a known object again as a whole, where its server does not support ranges. */
  async again(known: ObjectIdentity): Promise<Answer> {
    const { response, start, end, identity } = await this.#whole(await this.#request.ask({}), known.ranges);
    if (!isSameObject(response.headers, identity.size, known)) throw this.changed(response, known);
    return { response, start, end };
  }

  /**
   * Explains a failure while the object was read. SourceChanged is thrown instead, because continuing would mix two
   * versions.
   *
   * @param silentFrom the offset from which a response has delivered nothing, where that is the case
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

  /** Makes the failure of a body that ended early. */
  endedEarly(missing: number): TransferError {
    return new TransferError(
      'ConnectionLost',
      `the connection to ${this.url.host} ended ${missing} bytes before the end of ${describeUrl(this.url)}`,
    );
  }

  /** Makes the failure of a server without ranges whose responses repeatedly end at the same byte. */
  alwaysEndsAt(offset: number, { size }: ObjectIdentity): TransferError {
    const announced = size === undefined ? '' : `announced ${size} bytes and `;
    return this.violation(
      `${announced}ends every answer after ${offset} bytes: its file is incomplete, or something on the way cuts it off`,
    );
  }

  changed(response: HttpResponse, known: ObjectIdentity): TransferError {
    response.body.destroy();
    this.#changes += 1;
    const { headers } = response;
    const range = parseContentRange(headers['content-range']);
    const size = range === undefined ? parseContentLength(headers['content-length']) : range.total;
    const advice = hasOtherTagOnly(headers, size, known)
      ? ': its ETag is another one, though its size and date are the same, as where several servers have one name and ' +
        'ETags of their own; give the URL of one of them'
      : '';
    return new TransferError('SourceChanged', `${describeUrl(this.url)} changed while it was being read${advice}`);
  }

  /**
   * Makes the failure of a server that has sent parts, and does not send this one. The object has to be read again as a
   * whole.
   */
  withoutRanges(response: HttpResponse): TransferError {
    response.body.destroy();
    this.#rangesFail = true;
    return new TransferError(
      'SourceChanged',
      `the server of ${describeUrl(this.url)} has sent parts of it, and does not do so any more`,
    );
  }

  async #whole(response: HttpResponse, ranges: Ranges): Promise<Answer & { identity: ObjectIdentity }> {
    const { status, headers } = response;
    if (status === 200) {
      const size = parseContentLength(headers['content-length']);
      return { response, start: 0, end: size, identity: identityOf(headers, { size, ranges }) };
    }
    await discard(response);
    throw statusFailure(status, headers, response.url);
  }
}

async function discard(response: HttpResponse): Promise<void> {
  await response.body.dump({ limit: LARGEST_IGNORED_BODY });
}
