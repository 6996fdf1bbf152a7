import type { BlockQueue } from '../../codec/decompress/block-queue.ts';

/** A part of the disk, once its batch has been decoded. */
export interface Block {
  /** Offset in the file. */
  host: number;
  /** Offset on the disk. */
  guest: number;
  /** Offset in the room of the batch; `length` is the space there. */
  place: number;
  length: number;
  /** The actual number of bytes; -1 where the block is damaged, or not decoded yet. */
  decoded: number;
  explain: (error: Error) => Error;
}

type NewBlock = Pick<Block, 'host' | 'guest' | 'length' | 'explain'>;

/** Blocks that are decompressed on other threads, and plain data between them. */
export class Batch {
  readonly blocks: Block[] = [];
  /** Number of blocks that have been handed out. */
  taken = 0;
  /** Whether nothing more can be added. */
  isFull = false;
  readonly input: ArrayBuffer;
  readonly room: ArrayBuffer;
  readonly #decoding: Promise<void>[] = [];
  #inputFilled = 0;
  #roomFilled = 0;

  constructor(input: ArrayBuffer, room: ArrayBuffer) {
    this.input = input;
    this.room = room;
  }

  hasRoomFor(compressed: number, length: number): boolean {
    return this.#inputFilled + compressed <= this.input.byteLength && this.#roomFilled + length <= this.room.byteLength;
  }

  /** @param queue decompresses the block, which begins immediately */
  addCompressed(bytes: Buffer, block: NewBlock, queue: BlockQueue): void {
    const compressed = Buffer.from(this.input, this.#inputFilled, bytes.length);
    bytes.copy(compressed);
    this.#inputFilled += bytes.length;
    const added = this.#add(block, -1);
    const output = Buffer.from(this.room, added.place, block.length);
    this.#decoding.push(queue.decode(compressed, output).then((decoded) => void (added.decoded = decoded)));
  }

  addPlain(bytes: Buffer, block: NewBlock): void {
    bytes.copy(Buffer.from(this.room), this.#roomFilled);
    this.#add(block, bytes.length);
  }

  /** Resolves when its blocks can be taken. */
  async decoded(): Promise<void> {
    await Promise.all(this.#decoding);
  }

  #add({ host, guest, length, explain }: NewBlock, decoded: number): Block {
    // There may be millions of blocks, so each is a single object, and not one that is copied from another.
    const block = { host, guest, place: this.#roomFilled, length, decoded, explain };
    this.blocks.push(block);
    this.#roomFilled += length;
    return block;
  }
}
