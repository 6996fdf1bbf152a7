import { MemoryPool } from '../../base/memory-pool.ts';

const INPUT = 512 * 1024;
/** One buffer is lent to the reader, one is being filled, and the others are in transit. */
const ROOMS_OF_FIRST = 4;

/** A stream that fills buffers with output. */
export interface RoomTaker {
  /** Whether it could use another buffer. */
  readonly lacksRoom: boolean;
  giveRoom(room: ArrayBuffer): void;
}

/**
 * All memory that is passed between this thread and the decoder threads. Of several takers, the first one always has
 * enough to continue, because the output of the others is not needed before it has ended.
 */
export class DecoderMemory {
  readonly inputLength = INPUT;
  readonly mostRoomsOfOne = ROOMS_OF_FIRST;
  readonly inputs: MemoryPool;
  readonly rooms: MemoryPool;
  readonly #roomLength: number;
  readonly #takers: RoomTaker[] = [];
  #keptForFirst = ROOMS_OF_FIRST;
  #isClosed = false;
  #inputSpared = (): void => {};

  /**
   * @param inputs number of input buffers, of 512 KiB each
   * @param rooms number of output buffers, at least 4
   * @param roomLength in bytes, a multiple of 256 KiB
   */
  constructor(inputs: number, rooms: number, roomLength: number) {
    this.inputs = new MemoryPool(inputs * INPUT, INPUT);
    this.rooms = new MemoryPool(rooms * roomLength, roomLength);
    this.#roomLength = roomLength;
  }

  /** Waits for an unused input buffer; undefined where none is needed any more. For one caller at a time. */
  async takeInput(): Promise<ArrayBuffer | undefined> {
    while (!this.#isClosed) {
      const input = this.inputs.take();
      if (input !== undefined) return input;
      await new Promise<void>((resolve) => (this.#inputSpared = resolve));
    }
    return undefined;
  }

  returnInputs(inputs: ArrayBuffer[]): void {
    for (const input of inputs) this.inputs.giveBack(input);
    this.#inputSpared();
  }

  /** Adds a taker after all others. */
  addTaker(taker: RoomTaker): void {
    this.#takers.push(taker);
    this.distribute();
  }

  removeTaker(taker: RoomTaker): void {
    const place = this.#takers.indexOf(taker);
    if (place >= 0) this.#takers.splice(place, 1);
    this.distribute();
  }

  returnRooms(rooms: ArrayBuffer[]): void {
    for (const room of rooms) this.rooms.giveBack(room);
    this.distribute();
  }

  /** From now on the output of all takers is needed equally. */
  treatAllAlike(): void {
    this.#keptForFirst = 0;
    this.distribute();
  }

  close(): void {
    this.#isClosed = true;
    this.#inputSpared();
  }

  distribute(): void {
    if (this.#isClosed) return;
    for (const [place, taker] of this.#takers.entries()) {
      const kept = place === 0 ? 0 : this.#keptForFirst * this.#roomLength;
      while (taker.lacksRoom && this.rooms.available > kept) {
        const room = this.rooms.take();
        if (room === undefined) break;
        taker.giveRoom(room);
      }
    }
  }
}
