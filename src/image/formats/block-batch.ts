import { alignedPart } from '../../base/native/aligned-memory.ts';
import type { BlockBatch, DecodedBatch } from '../../codec/decompress/decoder-messages.ts';

/** A part of the disk, once its batch has been decoded. */
export interface Block {
  /** Offset in the file. */
  host: number;
  /** Offset on the disk. */
  guest: number;
  /** Compressed bytes in the file; undefined for plain data. */
  compressed: number | undefined;
  /** Offset in the room of the batch; `length` is the space there. */
  place: number;
  length: number;
  /** The actual number of bytes; -1 where the block is damaged. */
  decoded: number;
  explain: (error: Error) => Error;
}

type NewBlock = Pick<Block, 'host' | 'guest' | 'length' | 'explain'>;

/** Blocks that are decompressed by one call to another thread, and plain data between them. */
export class Batch {
  readonly blocks: Block[] = [];
  /** Number of blocks that have been handed out. */
  taken = 0;
  input: ArrayBuffer;
  room: ArrayBuffer;
  #inputFilled = 0;
  #roomFilled: number;
  #decoded: Promise<void> | undefined;

  constructor(input: ArrayBuffer, room: ArrayBuffer) {
    this.input = input;
    this.room = room;
    // What is aligned can be written from where it is.
    this.#roomFilled = alignedPart(room, 0).byteOffset;
  }

  /** Whether nothing more can be added. */
  get isSent(): boolean {
    return this.#decoded !== undefined;
  }

  hasRoomFor(compressed: number, length: number): boolean {
    return this.#inputFilled + compressed <= this.input.byteLength && this.#roomFilled + length <= this.room.byteLength;
  }

  addCompressed(bytes: Buffer, block: NewBlock): void {
    bytes.copy(Buffer.from(this.input), this.#inputFilled);
    this.#inputFilled += bytes.length;
    this.#add(block, bytes.length, 0);
  }

  addPlain(bytes: Buffer, block: NewBlock): void {
    bytes.copy(Buffer.from(this.room), this.#roomFilled);
    this.#add(block, undefined, bytes.length);
  }

  /** @param decode decodes on another thread, to which the memory is transferred */
  send(blockSize: number, decode: (batch: BlockBatch) => Promise<DecodedBatch>): void {
    if (this.#decoded !== undefined) return;
    this.#decoded = this.#decode(blockSize, decode);
    // Awaited in its turn; until then its failure must not count as unhandled.
    this.#decoded.catch(() => {});
  }

  /** Resolves when its blocks can be taken. */
  async decoded(): Promise<void> {
    await this.#decoded;
  }

  async #decode(blockSize: number, decode: (batch: BlockBatch) => Promise<DecodedBatch>): Promise<void> {
    const compressed = this.blocks.filter((block) => block.compressed !== undefined);
    if (compressed.length === 0) return;
    const result = await decode({
      input: this.input,
      lengths: compressed.map((block) => block.compressed ?? 0),
      room: this.room,
      places: compressed.map(({ place }) => place),
      blockSize,
    });
    this.input = result.input;
    this.room = result.room;
    for (const [index, block] of compressed.entries()) block.decoded = result.decoded[index] ?? -1;
  }

  #add({ host, guest, length, explain }: NewBlock, compressed: number | undefined, decoded: number): void {
    // There may be millions of blocks, so each is a single object, and not one that is copied from another.
    this.blocks.push({ host, guest, compressed, place: this.#roomFilled, length, decoded, explain });
    this.#roomFilled += length;
  }
}
