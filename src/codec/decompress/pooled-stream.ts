import type { ByteStream } from '../../base/bytes.ts';
import { isZero, zeroPieces } from '../../base/zeros.ts';
import { DecodingFailed, type PooledDecoder } from '../native/stream-codec.ts';
import type { FedDecoder } from './driver.ts';
import { InputGatherer } from './input-gatherer.ts';

/** Length of an output buffer in bytes, and so of what a call decodes at most. */
const ROOM = 1024 * 1024;
/** One is filled and one is lent to the reader; the others keep either going while the other one is slow. */
const ROOMS = 4;
/** Bytes that are left out together where they are zeros. */
const PIECE = 256 * 1024;

type Output = { zeros: number } | { data: Buffer } | { emptied: Buffer } | { failure: unknown } | 'end';

/**
 * Decodes one stream by calls on threads of Node's pool, one after the other, and leaves out longer runs of zeros. A
 * call decodes as much as there is input or room for, so that little time is spent between two of them.
 */
export class PooledStream implements FedDecoder {
  readonly #decoder: PooledDecoder;
  readonly #input = new InputGatherer();
  readonly #output: Output[] = [];
  readonly #spareRooms: Buffer[] = [];
  #rooms = 0;
  #isClosed = false;
  #inputFailure: unknown;
  #outputArrived = (): void => {};
  #roomSpared = (): void => {};

  constructor(decoder: PooledDecoder) {
    this.#decoder = decoder;
  }

  /** Feeds the whole input. Its failure is thrown by {@link output}. */
  async feed(input: ByteStream): Promise<void> {
    void this.#run();
    try {
      await this.#input.gather(input);
    } catch (error) {
      this.#inputFailure = error;
      this.close();
      this.#outputArrived();
    }
  }

  /** @throws DecodingFailed, and the failure of the input */
  async *output(): ByteStream {
    for (;;) {
      if (this.#inputFailure !== undefined) throw this.#inputFailure as Error;
      const next = this.#output.shift();
      if (next === undefined) {
        await new Promise<void>((resolve) => (this.#outputArrived = resolve));
      } else if (next === 'end') {
        return;
      } else if ('zeros' in next) {
        yield* zeroPieces(next.zeros);
      } else if ('data' in next) {
        yield next.data;
      } else if ('emptied' in next) {
        this.#giveBack(next.emptied);
      } else {
        throw next.failure;
      }
    }
  }

  /** Stops after the call that is running. */
  close(): void {
    this.#isClosed = true;
    this.#input.close();
    this.#roomSpared();
  }

  async #run(): Promise<void> {
    try {
      await this.#decode();
      this.#pass('end');
    } catch (failure) {
      this.#pass({ failure });
    } finally {
      this.#input.close();
      this.#decoder.close();
    }
  }

  /** @throws DecodingFailed */
  async #decode(): Promise<void> {
    const input = this.#input;
    let complete = false;
    let starved = true;
    let room = await this.#takeRoom();
    let filled = 0;
    /** A room that is looked through while the next one is being filled. */
    let full: Buffer | undefined;
    const passOn = (): void => {
      if (full !== undefined) this.#passOn(full, full.length);
      full = undefined;
    };
    for (;;) {
      if (starved && !input.isAvailable) {
        // While the decoder waits for input, its consumer gets what there is.
        passOn();
        if (filled > 0) {
          this.#passOn(room, filled);
          room = await this.#takeRoom();
          filled = 0;
        }
        await input.arrives();
      }
      if (this.#isClosed) return;
      const { pending, ended } = input.next();
      if (ended && complete && pending.length === 0) break;
      const space = room.subarray(filled);
      const stepping = this.#decoder.step(pending, space, ended);
      passOn();
      const step = await stepping;
      complete = step.complete;
      starved = step.produced < space.length;
      if (step.consumed === 0 && step.produced === 0 && !complete) {
        if (pending.length > 0) throw new DecodingFailed('damaged');
        if (ended) throw new DecodingFailed('truncated');
      }
      input.consume(step.consumed);
      filled += step.produced;
      if (filled === room.length) {
        full = room;
        if (this.#rooms === ROOMS && this.#spareRooms.length === 0) passOn();
        room = await this.#takeRoom();
        filled = 0;
      }
    }
    passOn();
    this.#passOn(room, filled);
  }

  /** Waits for a room; once nothing is wanted any more, any buffer is one. */
  async #takeRoom(): Promise<Buffer> {
    for (;;) {
      const spare = this.#spareRooms.pop();
      if (spare !== undefined) return spare;
      if (this.#rooms < ROOMS) {
        this.#rooms += 1;
        return Buffer.from(new ArrayBuffer(ROOM));
      }
      if (this.#isClosed) return Buffer.alloc(0);
      await new Promise<void>((resolve) => (this.#roomSpared = resolve));
    }
  }

  #giveBack(room: Buffer): void {
    this.#spareRooms.push(room);
    this.#roomSpared();
  }

  /** Passes on the first `length` bytes of a room, and after them the room. */
  #passOn(room: Buffer, length: number): void {
    let start = 0;
    for (let at = 0; at < length; at += PIECE) {
      const end = Math.min(at + PIECE, length);
      if (!isZero(room.subarray(at, end))) continue;
      if (at > start) this.#pass({ data: room.subarray(start, at) });
      this.#passZeros(end - at);
      start = end;
    }
    if (length > start) this.#pass({ data: room.subarray(start, length) });
    this.#pass({ emptied: room });
  }

  #passZeros(zeros: number): void {
    const last = this.#output.at(-1);
    if (typeof last === 'object' && 'zeros' in last) last.zeros += zeros;
    else this.#pass({ zeros });
  }

  #pass(output: Output): void {
    this.#output.push(output);
    this.#outputArrived();
  }
}
