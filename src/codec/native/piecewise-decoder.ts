import { isZero } from '../../base/zeros.ts';
import { type BlockSizes, DecodingFailed, type StreamDecoder } from './stream-codec.ts';

/** Bytes that are decoded at once, and checked for zeros while they are in the processor's cache. */
const PIECE = 256 * 1024;
const nothing = Buffer.alloc(0);

/** What happens to the memory that a {@link PiecewiseDecoder} is given. */
export interface DecoderEvents {
  /** An input buffer is used up. */
  onConsumed(input: Buffer): void;
  /** The next bytes are this many zeros. */
  onZeros(length: number): void;
  /** The next bytes, in memory that was given as room. */
  onData(bytes: Buffer): void;
  /** A room was not needed, because everything was already decoded. */
  onUnneeded(room: Buffer): void;
  /** Everything is decoded, and all output has been reported. */
  onEnd(end: DecoderEnd): void;
}

export interface DecoderEnd {
  /** Bytes of the input that were used; a format that marks its own end may leave some. */
  taken: number;
  /** Input buffers that were not used up. */
  inputs: Buffer[];
  /** Rooms that were not needed. */
  rooms: Buffer[];
  /** Sizes of the block, where the format reports them. */
  sizes: BlockSizes | undefined;
}

/** Decodes a stream as far as there is input, and room for output, and leaves out longer runs of zeros. */
export class PiecewiseDecoder {
  readonly #decoder: StreamDecoder;
  readonly #events: DecoderEvents;
  readonly #inputs: Buffer[] = [];
  readonly #rooms: Buffer[] = [];
  #pending: Buffer = nothing;
  #taken = 0;
  #filled = 0;
  #zeros = 0;
  #starved = true;
  #inputEnded = false;
  #complete = false;
  #isOver = false;

  constructor(decoder: StreamDecoder, events: DecoderEvents) {
    this.#decoder = decoder;
    this.#events = events;
  }

  /** @throws DecodingFailed, as do the following methods */
  addInput(input: Buffer): void {
    if (this.#isOver) {
      this.#events.onConsumed(input);
      return;
    }
    this.#inputs.push(input);
    if (this.#inputs.length === 1) this.#pending = input;
    this.#run();
  }

  /** Marks the end of the input. */
  endInput(): void {
    this.#inputEnded = true;
    this.#run();
  }

  /** @param room a multiple of 256 KiB long */
  addRoom(room: Buffer): void {
    if (this.#isOver) {
      this.#events.onUnneeded(room);
      return;
    }
    this.#rooms.push(room);
    this.#run();
  }

  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#decoder.close();
  }

  #run(): void {
    while (!this.#isOver) {
      const ended = this.#inputEnded && this.#inputs.length === 0;
      const needsInput = this.#pending.length === 0 && this.#starved;
      if (ended && this.#complete && this.#pending.length === 0) {
        this.#end();
        return;
      }
      if (needsInput && !ended) {
        // While the decoder waits for input, its consumer gets what is available.
        this.#passOn();
        return;
      }
      const [room] = this.#rooms;
      if (room === undefined) return;
      this.#step(room, ended);
    }
  }

  #step(room: Buffer, ended: boolean): void {
    const end = this.#filled + PIECE - (this.#filled % PIECE);
    const piece = room.subarray(this.#filled, end);
    const { consumed, produced, zeros = 0, complete, end: sizes } = this.#decoder.step(this.#pending, piece, ended);
    this.#complete = complete;
    // Where room is left, the decoder cannot continue without more input.
    this.#starved = produced < piece.length;
    if (consumed === 0 && produced === 0 && !complete) {
      if (this.#pending.length > 0) throw new DecodingFailed('damaged');
      if (ended) throw new DecodingFailed('truncated');
    }
    this.#consume(consumed);
    this.#filled += produced;
    if (this.#filled === end) this.#completePiece(room, PIECE);
    if (zeros > 0) this.#addZeros(zeros);
    if (sizes !== undefined) this.#end(sizes);
  }

  #end(sizes?: BlockSizes): void {
    const [room] = this.#rooms;
    const rest = this.#filled % PIECE;
    if (room !== undefined && rest > 0) this.#completePiece(room, rest);
    this.#passOn();
    this.#passOnZeros();
    this.close();
    this.#events.onEnd({ taken: this.#taken, inputs: this.#inputs, rooms: this.#rooms, sizes });
  }

  #consume(length: number): void {
    this.#taken += length;
    this.#pending = this.#pending.subarray(length);
    if (this.#pending.length > 0) return;
    const used = this.#inputs.shift();
    if (used !== undefined) this.#events.onConsumed(used);
    this.#pending = this.#inputs[0] ?? nothing;
  }

  /** @param length of the last bytes of the room that are filled */
  #completePiece(room: Buffer, length: number): void {
    if (isZero(room.subarray(this.#filled - length, this.#filled))) {
      this.#filled -= length;
      this.#addZeros(length);
    } else if (this.#filled === room.length) {
      this.#passOn();
    }
  }

  #addZeros(length: number): void {
    this.#passOn();
    this.#zeros += length;
  }

  /** Passes on what has been decoded since the last zeros. */
  #passOn(): void {
    if (this.#filled === 0) return;
    this.#passOnZeros();
    const data = this.#rooms.shift()?.subarray(0, this.#filled) ?? nothing;
    this.#filled = 0;
    this.#events.onData(data);
  }

  #passOnZeros(): void {
    if (this.#zeros > 0) this.#events.onZeros(this.#zeros);
    this.#zeros = 0;
  }
}
