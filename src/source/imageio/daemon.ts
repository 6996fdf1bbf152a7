import { TransferError } from '../../base/errors.ts';
import { BodyReader } from '../http/body-reader.ts';
import type { HttpClient, HttpRequest, HttpResponse } from '../http/client.ts';
import { statusFailure } from '../http/failures.ts';
import { parseContentRange, rangeHeader } from '../http/object-identity.ts';
import { readJson } from '../http/read-document.ts';
import type { Referrer } from '../http/redirect.ts';
import type { Confidential } from './confidential.ts';
import { daemonOptions } from './documents.ts';
import { ExtentMap } from './extent-map.ts';
import { readExtents } from './read-extents.ts';

export interface DaemonOptions {
  http: HttpClient;
  /** Where the image is served; its last part is the ticket. */
  url: URL;
  /** The engine's answer that named the URL. */
  referrer: Referrer | undefined;
  confidential: Confidential;
}

/** What a daemon offers for a transfer. */
export interface Offer {
  extents: ExtentMap;
  /** How many readers it serves at the same time; undefined where it does not say. */
  mostReaders: number | undefined;
}

/** A part of an image that arrives. */
export interface DaemonBody {
  /**
   * Fills memory as far as it can at once.
   *
   * @returns how many bytes it is; 0 at the end
   * @throws TransferError
   */
  read(memory: Buffer): Promise<number>;
  /** Closes the connection, unless all of it was read. */
  destroy(): void;
}

/** One image at an ovirt-imageio daemon, on a host or behind the engine's proxy. */
export class Daemon {
  readonly #options: DaemonOptions;

  constructor(options: DaemonOptions) {
    const { url, confidential } = options;
    this.#options = options;
    confidential.add(url.pathname.split('/').at(-1) ?? '');
  }

  get host(): string {
    return this.#options.url.host;
  }

  /**
   * Asks what there is.
   *
   * @param isDelta whether holes are what a snapshot leaves as it is
   * @throws TransferError TicketExpired, and others
   */
  offer(isDelta: boolean): Promise<Offer> {
    return this.#explained(async () => {
      const { features, max_readers: mostReaders } = await this.#capabilities();
      if (features.includes('extents')) {
        const response = await this.#ask('/extents', {});
        return { extents: await readExtents(response.body, isDelta, this.host), mostReaders };
      }
      if (isDelta) throw this.#violation('does not tell extents, which stages need');
      const extents = new ExtentMap();
      extents.append(await this.#size(), 'data');
      return { extents, mostReaders };
    });
  }

  /**
   * Requests a part of the image.
   *
   * @param end the first offset that is not requested
   * @throws TransferError TicketExpired, and others
   */
  open(start: number, end: number): Promise<DaemonBody> {
    return this.#explained(async () => {
      const { body, headers, status } = await this.#ask('', rangeHeader(start, end));
      const range = parseContentRange(headers['content-range']);
      const length = Number(headers['content-length'] ?? end - start);
      if (status !== 206 || range?.start !== start || range.end !== end || length !== end - start) {
        body.destroy();
        throw this.#violation(`sends another part of the disk than bytes ${start} to ${end - 1}`);
      }
      const reader = new BodyReader(body);
      return {
        read: (memory) => this.#explained(() => reader.read(memory)),
        destroy: () => {
          reader.destroy();
        },
      };
    });
  }

  /** Shows the daemon that the transfer is in use: the engine ends one by what the daemon tells of it. */
  async touch(): Promise<void> {
    await this.#explained(() => this.#capabilities());
  }

  async #capabilities() {
    const answer = daemonOptions.safeParse(await readJson(await this.#ask('', {}, 'OPTIONS')));
    if (answer.success) return answer.data;
    throw this.#violation('does not tell what it can do: check that it is an ovirt-imageio daemon');
  }

  async #size(): Promise<number> {
    const { body, headers } = await this.#ask('', rangeHeader(0, 1));
    await body.dump();
    const { total } = parseContentRange(headers['content-range']) ?? {};
    if (total === undefined) throw this.#violation('does not tell the size of the disk');
    return total;
  }

  async #ask(
    path: string,
    headers: Record<string, string>,
    method: HttpRequest['method'] = 'GET',
  ): Promise<HttpResponse> {
    const { http, url, referrer } = this.#options;
    const response = await http.request(new URL(url.href + path), { method, headers, referrer });
    const { status } = response;
    if (status === 200 || status === 206) return response;
    await response.body.dump();
    if (status === 403 || status === 401) {
      throw new TransferError(
        'TicketExpired',
        `${this.host} does not serve the disk with the ticket of the transfer any more`,
      );
    }
    throw statusFailure(status, response.headers, url);
  }

  async #explained<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (error) {
      throw this.#options.confidential.failure(error, this.#options.url);
    }
  }

  #violation(what: string): TransferError {
    return new TransferError('ProtocolViolation', `${this.host} ${what}`);
  }
}
