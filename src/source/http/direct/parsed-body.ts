import type { ClientRequest, IncomingMessage } from 'node:http';
import { setImmediate as turn } from 'node:timers/promises';
import type { HttpBody } from '../body.ts';
import type { BodyStream } from './body-stream.ts';
import type { Wire } from './wire.ts';

const PIECE = 64 * 1024;

/** A body whose end `node:http` has to find: it is chunked, or ends with its connection. */
export class ParsedBody implements HttpBody {
  readonly #stream: BodyStream;
  readonly #response: IncomingMessage;
  #failure: unknown;

  constructor(stream: BodyStream, exchange: ClientRequest, response: IncomingMessage, wire: Wire) {
    this.#stream = stream;
    this.#response = response;
    // The response itself only reports that it was aborted.
    exchange.on('error', (error) => {
      this.#failure ??= error;
    });
    void this.#pass(wire);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, void> {
    try {
      for await (const chunk of this.#response) yield chunk as Buffer;
    } catch (error) {
      throw this.#failure ?? error;
    } finally {
      this.#stream.close();
    }
  }

  async dump({ limit }: { limit: number } = { limit: Infinity }): Promise<void> {
    let length = 0;
    for await (const bytes of this) {
      length += bytes.length;
      if (length > limit) return;
    }
  }

  destroy(): void {
    this.#response.destroy();
    this.#stream.close();
  }

  async #pass(wire: Wire): Promise<void> {
    const { received, timeout } = this.#stream;
    try {
      while (!wire.destroyed) {
        const bytes = await received.take(PIECE, timeout);
        if (bytes.length === 0) break;
        await wire.give(bytes);
        // Single-byte chunks take long to parse; reading them without a pause would starve everything else.
        await turn();
      }
      wire.push(null);
    } catch (error) {
      this.#failure ??= error;
      wire.destroy();
    }
  }
}
