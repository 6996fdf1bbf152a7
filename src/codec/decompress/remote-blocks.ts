import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { BlockCodec } from './block-codecs.ts';
import type { BlockBatch, DecodedBatch, NewBlocks } from './decoder-messages.ts';
import { blockThreadCount, decoderThread, threadCount } from './decoder-threads.ts';

interface Line {
  port: MessagePort;
  /** Promises for batches, in the order in which they were sent. */
  waiting: { resolve: (batch: DecodedBatch) => void; reject: (error: Error) => void }[];
}

/** Decompresses batches of blocks on as many decoder threads as blocks get. */
export class RemoteBlocks {
  readonly #codec: BlockCodec;
  readonly #lines: Line[] = [];

  constructor(codec: BlockCodec) {
    this.#codec = codec;
  }

  /** Decompresses a batch. Its memory is transferred, and returned with the result. */
  decode(batch: BlockBatch): Promise<DecodedBatch> {
    const line = this.#idlest();
    return new Promise((resolve, reject) => {
      line.waiting.push({ resolve, reject });
      line.port.ref();
      line.port.postMessage(batch, [batch.input, batch.room]);
    });
  }

  /** Discards results that are still pending. */
  close(): void {
    for (const { port } of this.#lines) port.close();
  }

  #idlest(): Line {
    const [first, ...others] = this.#lines.toSorted((a, b) => a.waiting.length - b.waiting.length);
    if (first === undefined || (first.waiting.length > 0 && others.length + 1 < blockThreadCount)) return this.#open();
    return first;
  }

  #open(): Line {
    const { port1, port2 } = new MessageChannel();
    const line: Line = { port: port1, waiting: [] };
    port1.on('message', (batch: DecodedBatch) => {
      line.waiting.shift()?.resolve(batch);
      // Keeps the process alive only while a result is pending.
      if (line.waiting.length === 0) port1.unref();
    });
    port1.on('close', () => {
      for (const { reject } of line.waiting) reject(new Error('the thread that decompresses has ended'));
    });
    const opening: NewBlocks = { codec: this.#codec, port: port2 };
    // The first thread may decode the stream that the blocks come from.
    decoderThread(threadCount - 1 - this.#lines.length).postMessage(opening, [port2]);
    this.#lines.push(line);
    return line;
  }
}
