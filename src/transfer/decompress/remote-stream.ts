import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { ByteStream } from '../bytes.ts';
import { DecodingFailed } from '../native/stream-codec.ts';
import type { NativeStreamKind } from '../native/stream-codecs.ts';
import { zeroPieces } from '../zeros.ts';
import type { FromStream, NewStream, ToStream } from './decoder-messages.ts';
import { decoderThread } from './decoder-threads.ts';

const INPUT = 512 * 1024;
const INPUTS = 2;
const ROOM = 1024 * 1024;
/** One is lent to the reader, one is filled, and others are on the way. */
const ROOMS = 4;

/** Decodes one stream natively on another thread, which goes on from piece to piece without waiting for this one. */
export class RemoteStream {
  readonly #port: MessagePort;
  readonly #spareInputs: ArrayBuffer[] = Array.from({ length: INPUTS }, () => new ArrayBuffer(INPUT));
  readonly #arrived: Exclude<FromStream, { consumed: ArrayBuffer }>[] = [];
  #isClosed = false;
  #inputFailure: unknown;
  #inputSpared = (): void => {};
  #outputArrived = (): void => {};

  constructor(kind: NativeStreamKind) {
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    decoderThread(0).postMessage({ kind, port: port2 } satisfies NewStream, [port2]);
    port1.on('message', (message: FromStream) => {
      this.#receive(message);
    });
    port1.on('close', () => {
      this.#receive({ failure: undefined, message: 'the thread that decompresses has ended' });
    });
    // Who has left a stream without a word is not to be kept from ending.
    port1.unref();
    for (let count = 0; count < ROOMS; count += 1) this.#giveRoom(new ArrayBuffer(ROOM));
  }

  /** Hands over all of the input. What that fails with is thrown by {@link output}. */
  async feed(input: ByteStream): Promise<void> {
    try {
      for await (const chunk of input) {
        for (let at = 0; at < chunk.length && !this.#isClosed; at += INPUT) {
          await this.#handOver(chunk.subarray(at, at + INPUT));
        }
        if (this.#isClosed) return;
      }
      this.#tell({ inputEnds: true });
    } catch (error) {
      this.#inputFailure = error;
      this.#outputArrived();
    }
  }

  /** @throws DecodingFailed, and what the input fails with */
  async *output(): ByteStream {
    for (;;) {
      if (this.#inputFailure !== undefined) throw this.#inputFailure as Error;
      const message = this.#arrived.shift();
      if (message === undefined) {
        this.#port.ref();
        await new Promise<void>((resolve) => (this.#outputArrived = resolve));
        this.#port.unref();
      } else if ('zeros' in message) {
        yield* zeroPieces(message.zeros);
      } else if ('data' in message) {
        yield Buffer.from(message.data, 0, message.length);
        this.#giveRoom(message.data);
      } else if ('end' in message) {
        return;
      } else {
        if (message.failure === undefined) throw new Error(message.message);
        throw new DecodingFailed(message.failure);
      }
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#inputSpared();
    this.#port.close();
  }

  #receive(message: FromStream): void {
    if ('consumed' in message) {
      this.#spareInputs.push(message.consumed);
      this.#inputSpared();
    } else {
      this.#arrived.push(message);
      this.#outputArrived();
    }
  }

  async #handOver(bytes: Buffer): Promise<void> {
    let memory = this.#spareInputs.pop();
    while (memory === undefined) {
      await new Promise<void>((resolve) => (this.#inputSpared = resolve));
      if (this.#isClosed) return;
      memory = this.#spareInputs.pop();
    }
    bytes.copy(Buffer.from(memory));
    this.#tell({ input: memory, length: bytes.length }, memory);
  }

  #giveRoom(room: ArrayBuffer): void {
    if (!this.#isClosed) this.#tell({ room }, room);
  }

  #tell(message: ToStream, memory?: ArrayBuffer): void {
    this.#port.postMessage(message, memory === undefined ? [] : [memory]);
  }
}
