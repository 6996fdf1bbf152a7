import { abandonStream, type ByteStream } from '../bytes.ts';
import { DecodingFailed, type StreamCodec } from '../native/stream-codec.ts';
import type { Compression } from './compression.ts';
import { decompressionFailure } from './failures.ts';

const CHUNK = 1024 * 1024;
/** While the consumer has one chunk, so many others are filled. */
const CHUNKS_AHEAD = 2;
const nothing = Buffer.alloc(0);

/** Decompresses a stream by a native decoder. Its input is read to the end. */
export async function* decompressNatively(kind: Compression, codec: StreamCodec, input: ByteStream): ByteStream {
  const chunks = new DecodedChunks(codec, input);
  try {
    for (;;) {
      const chunk = await chunks.next();
      if (chunk === undefined) return;
      yield chunk;
    }
  } catch (error) {
    throw error instanceof DecodingFailed ? decompressionFailure(kind, error.failure, error) : error;
  } finally {
    chunks.stop();
    abandonStream(input);
  }
}

/** Decodes ahead of whoever reads, into memory that is used again. */
class DecodedChunks {
  readonly #decoder: ReturnType<StreamCodec>;
  readonly #input: ByteStream;
  readonly #coming: Promise<Buffer>[] = [];
  #last: Promise<unknown> = Promise.resolve();
  #lent: Buffer | undefined;
  #pending: Buffer = nothing;
  #starved = true;
  #ended = false;
  #complete = false;
  #stopped = false;

  constructor(codec: StreamCodec, input: ByteStream) {
    this.#decoder = codec();
    this.#input = input;
    for (let count = 0; count < CHUNKS_AHEAD; count += 1) this.#fillLater(Buffer.allocUnsafeSlow(CHUNK));
  }

  /** The next chunk, lent until the one behind it is asked for; undefined at the end. */
  async next(): Promise<Buffer | undefined> {
    this.#fillLater(this.#lent ?? Buffer.allocUnsafeSlow(CHUNK));
    const chunk = await this.#coming.shift();
    if (chunk === undefined || chunk.length === 0) return undefined;
    this.#lent = chunk;
    return chunk;
  }

  /** Frees the decoder, as soon as it is at rest. */
  stop(): void {
    this.#stopped = true;
    void this.#last.finally(() => this.#decoder.close());
  }

  #fillLater(chunk: Buffer): void {
    const filled = this.#last.then(() => this.#fill(Buffer.from(chunk.buffer, 0, CHUNK)));
    this.#coming.push(filled);
    // Awaited in its turn; until then a failure must not count as unhandled. What comes behind it is empty.
    this.#last = filled.catch(() => {
      this.#stopped = true;
    });
  }

  /** Fills a chunk, all of it unless the stream ends. */
  async #fill(chunk: Buffer): Promise<Buffer> {
    let filled = 0;
    while (filled < CHUNK && !this.#stopped) {
      if (this.#pending.length === 0 && this.#starved && !this.#ended) await this.#receive();
      if (this.#ended && this.#complete && this.#pending.length === 0) break;
      const room = chunk.subarray(filled);
      const { consumed, produced, complete } = await this.#decoder.step(this.#pending, room, this.#ended);
      this.#pending = this.#pending.subarray(consumed);
      this.#complete = complete;
      filled += produced;
      // With room left it has nothing more to give before it is given more.
      this.#starved = produced < room.length;
      if (consumed > 0 || produced > 0 || complete) continue;
      if (this.#pending.length > 0) throw new DecodingFailed('damaged');
      if (this.#ended) throw new DecodingFailed('truncated');
    }
    return chunk.subarray(0, filled);
  }

  async #receive(): Promise<void> {
    const { value, done } = await this.#input.next();
    if (done === true) this.#ended = true;
    else this.#pending = value;
  }
}
