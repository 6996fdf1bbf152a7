import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { ByteReader, ByteStream } from '../../base/bytes.ts';
import { zeroPieces } from '../../base/zeros.ts';
import { DecodingFailed } from '../native/stream-codec.ts';
import type { NativeStream } from '../native/stream-codecs.ts';
import type { DecoderMemory, RoomTaker } from './decoder-memory.ts';
import type { FromStream, NewStream, StreamEnd, ToStream } from './decoder-messages.ts';
import { decoderThread } from './decoder-threads.ts';

type Output = Exclude<FromStream, { consumed: ArrayBuffer } | { unneeded: ArrayBuffer }>;

/** Decodes one stream natively on another thread, which proceeds from piece to piece without waiting for this one. */
export class RemoteStream implements RoomTaker {
  readonly #memory: DecoderMemory;
  readonly #port: MessagePort;
  readonly #arrived: Output[] = [];
  /** Number of output buffers that the thread has. */
  #rooms = 0;
  #inputs = 0;
  #taken = 0;
  #hasData = false;
  #isOver = false;
  #end: StreamEnd | undefined;
  #inputFailure: unknown;
  #outputArrived = (): void => {};
  #inputReturned = (): void => {};
  #ended = (): void => {};
  /** Resolves when decoding has stopped. */
  readonly over: Promise<void>;

  /** @param thread index of the thread that decodes the stream */
  constructor(stream: NativeStream, memory: DecoderMemory, thread = 0) {
    const { port1, port2 } = new MessageChannel();
    this.#memory = memory;
    this.#port = port1;
    this.over = new Promise((resolve) => (this.#ended = resolve));
    decoderThread(thread).postMessage({ stream, port: port2 } satisfies NewStream, [port2]);
    port1.on('message', (message: FromStream) => {
      this.#receive(message);
    });
    port1.on('close', () => {
      this.#addOutput({ failure: undefined, message: 'the thread that decompresses has ended' });
    });
    // An abandoned stream must not keep the process alive.
    port1.unref();
    memory.addTaker(this);
  }

  get lacksRoom(): boolean {
    return !this.#isOver && this.#rooms < this.#memory.mostRoomsOfOne;
  }

  giveRoom(room: ArrayBuffer): void {
    this.#rooms += 1;
    this.#tell({ room }, room);
  }

  /** Whether the whole stream has been decoded, and was all zeros. */
  get wasZeros(): boolean {
    return this.#end !== undefined && !this.#hasData;
  }

  /**
   * Feeds the whole input. Its failure is thrown by {@link output}.
   *
   * @returns whether the input ended
   */
  async feed(input: ByteStream): Promise<boolean> {
    try {
      for await (const chunk of input) {
        for (let at = 0; at < chunk.length && !this.#isOver; at += this.#memory.inputLength) {
          await this.#handOver(chunk.subarray(at, at + this.#memory.inputLength));
        }
        if (this.#isOver && this.#end === undefined) return false;
      }
      this.#tell({ inputEnds: true });
      return true;
    } catch (error) {
      this.#failInput(error);
      return false;
    }
  }

  /**
   * Feeds as much of the input as belongs to the stream, which marks its own end. Failures are thrown by {@link
   * output}.
   *
   * @returns the end of the stream; undefined where it did not end
   */
  async feedUntilEnd(reader: ByteReader): Promise<StreamEnd | undefined> {
    let taken = 0;
    try {
      while (!this.#isOver) {
        const bytes = await reader.peekSome(this.#memory.inputLength);
        if (bytes.length === 0) {
          this.#tell({ inputEnds: true });
          await this.over;
          break;
        }
        const returned = new Promise<void>((resolve) => (this.#inputReturned = resolve));
        await this.#handOver(bytes);
        await Promise.race([returned, this.over]);
        if (this.#end === undefined && !this.#isOver) taken += (await reader.take(bytes.length)).length;
      }
      if (this.#end !== undefined) await reader.take(this.#end.taken - taken);
    } catch (error) {
      this.#failInput(error);
    }
    return this.#end;
  }

  /** @throws DecodingFailed, and the failure of the input */
  async *output(): ByteStream {
    for (;;) {
      const output = this.take();
      if (output === undefined) {
        await this.outputArrives();
      } else if ('zeros' in output) {
        yield* zeroPieces(output.zeros);
      } else if ('data' in output) {
        yield output.data;
        this.giveBack(output.data);
      } else {
        return;
      }
    }
  }

  /** Number of bytes that have been taken. */
  get taken(): number {
    return this.#taken;
  }

  get hasFailed(): boolean {
    const [next] = this.#arrived;
    return this.#inputFailure !== undefined || (next !== undefined && 'failure' in next);
  }

  /**
   * Takes the next output, if it has arrived. Data has to be given back.
   *
   * @throws as {@link output} does
   */
  take(): { zeros: number } | { data: Buffer } | StreamEnd | undefined {
    if (this.#inputFailure !== undefined) throw this.#inputFailure as Error;
    const message = this.#arrived.shift();
    if (message === undefined || 'taken' in message) return message;
    if ('failure' in message) {
      if (message.failure === undefined) throw new Error(message.message);
      throw new DecodingFailed(message.failure, message.window);
    }
    this.#taken += 'zeros' in message ? message.zeros : message.length;
    return 'zeros' in message ? message : { data: Buffer.from(message.data, 0, message.length) };
  }

  giveBack({ buffer }: Buffer): void {
    this.#memory.returnRooms([buffer as ArrayBuffer]);
  }

  /** Waits for output, and keeps the process alive meanwhile. */
  async outputArrives(): Promise<void> {
    this.#port.ref();
    await new Promise<void>((resolve) => (this.#outputArrived = resolve));
    this.#port.unref();
  }

  /** Stops decoding; to be called where the end is not awaited. */
  close(): void {
    this.#finish();
    this.#port.close();
  }

  #receive(message: FromStream): void {
    if ('consumed' in message) {
      this.#takeBack([message.consumed], []);
      this.#inputReturned();
    } else if ('unneeded' in message) {
      this.#takeBack([], [message.unneeded]);
    } else {
      this.#addOutput(message);
    }
    // Memory may have been in transit when decoding ended.
    if (this.#end !== undefined && this.#rooms + this.#inputs === 0) this.#port.close();
  }

  #addOutput(message: Output): void {
    if ('data' in message) {
      this.#hasData = true;
      this.#rooms -= 1;
      this.#memory.distribute();
    } else if ('taken' in message) {
      this.#end = message;
      this.#finish();
      this.#takeBack(message.inputs, message.rooms);
    } else if ('failure' in message) {
      this.#finish();
    }
    this.#arrived.push(message);
    this.#outputArrived();
  }

  #finish(): void {
    this.#isOver = true;
    this.#ended();
    this.#memory.removeTaker(this);
  }

  #takeBack(inputs: ArrayBuffer[], rooms: ArrayBuffer[]): void {
    this.#inputs -= inputs.length;
    this.#rooms -= rooms.length;
    this.#memory.returnInputs(inputs);
    this.#memory.returnRooms(rooms);
  }

  #failInput(error: unknown): void {
    this.#inputFailure = error;
    this.#outputArrived();
  }

  async #handOver(bytes: Buffer): Promise<void> {
    const memory = await this.#memory.takeInput();
    if (memory === undefined) return;
    if (this.#isOver) {
      this.#memory.returnInputs([memory]);
      return;
    }
    bytes.copy(Buffer.from(memory));
    this.#inputs += 1;
    this.#tell({ input: memory, length: bytes.length }, memory);
  }

  #tell(message: ToStream, memory?: ArrayBuffer): void {
    this.#port.postMessage(message, memory === undefined ? [] : [memory]);
  }
}
