import type { BlockCodec } from '../../codec/decompress/block-codecs.ts';
import { threadCount } from '../../codec/decompress/decoder-threads.ts';
import { RemoteBlocks } from '../../codec/decompress/remote-blocks.ts';
import type { Extent } from '../../base/extents.ts';
import { MemoryPool } from '../../base/memory-pool.ts';
import { Batch } from './block-batch.ts';

/** Decompressed by one call to another thread, in bytes. */
const BATCH = 1024 * 1024;
/** Besides those that are decompressed, one is gathered and one handed out. */
const BATCHES = threadCount + 2;
/** By so much may a block that hardly compresses take more than it holds, with what it shares with others: a sector. In bytes. */
const INPUT_SLACK = 512;
/** Plain data that is longer is not copied: it is worth a write of its own. In bytes. */
const LONGEST_COPIED = 128 * 1024;

export interface BlockInflaterOptions {
  codec: BlockCodec;
  /** Bytes that each block has when it is decompressed; the disk's last one may end with the disk. */
  blockSize: number;
  /** What a block holds behind the disk's end is left out. */
  diskSize: number;
  /** What is wrong where a block is damaged, or has another size. */
  failure: (isDamaged: boolean) => Error;
}

/**
 * Decompresses the blocks of a disk, several at once, in memory that is used again, and hands them out in their order. Who starts more than
 * there is memory for is told to take some first.
 */
export class BlockInflater {
  /** Compressed blocks, and what they are decompressed to. */
  readonly memory: { readonly inputs: MemoryPool; readonly rooms: MemoryPool };
  readonly #options: BlockInflaterOptions;
  readonly #remote: RemoteBlocks;
  /** In the order of their blocks; the last may be gathered still. */
  readonly #batches: Batch[] = [];

  constructor(options: BlockInflaterOptions) {
    this.#options = options;
    this.#remote = new RemoteBlocks(options.codec);
    const input = Math.max(BATCH, options.blockSize + INPUT_SLACK);
    const room = Math.max(BATCH, options.blockSize);
    this.memory = {
      inputs: new MemoryPool(BATCHES * input, input),
      rooms: new MemoryPool(BATCHES * room, room),
    };
  }

  /** Where the first to come lies in the file; Infinity where there is none. */
  get host(): number {
    for (const { blocks, taken } of this.#batches) {
      const next = blocks[taken];
      if (next !== undefined) return next.host;
    }
    return Infinity;
  }

  /**
   * @param compressed copied; at most twice the block's size
   * @param host where it lies in the file
   * @param guest where the block is on the disk
   * @param explain makes of the failure to decompress it what that means
   * @returns false where some have to be taken first
   */
  start(compressed: Buffer, host: number, guest: number, explain = (error: Error): Error => error): boolean {
    const { blockSize } = this.#options;
    const batch = this.#gathering(compressed.length, blockSize);
    if (batch === undefined) return false;
    batch.addCompressed(compressed, { host, guest, length: blockSize, explain });
    if (!batch.hasRoomFor(0, blockSize)) this.#send(batch);
    return true;
  }

  /** Whether plain data is better handed out in its turn, in one piece with the blocks around it, than by itself. */
  takesPlain(length: number): boolean {
    return this.#batches.length > 0 && length <= LONGEST_COPIED;
  }

  /**
   * As {@link start}, of what is not compressed.
   *
   * @param bytes copied; so many that {@link takesPlain}
   */
  addPlain(bytes: Buffer, host: number, guest: number): boolean {
    const batch = this.#gathering(0, bytes.length);
    batch?.addPlain(bytes, { host, guest, length: bytes.length, explain: (error) => error });
    return batch !== undefined;
  }

  /** Passes on some of the first, which are lent until the consumer comes back. */
  async *takeFirst(): AsyncGenerator<Extent, void, void> {
    const [batch] = this.#batches;
    if (batch === undefined) return;
    this.#send(batch);
    await batch.decoded();
    while (batch.taken < batch.blocks.length) yield this.#takeRun(batch);
    this.#batches.shift();
    this.memory.inputs.giveBack(batch.input);
    this.memory.rooms.giveBack(batch.room);
  }

  async *takeAll(): AsyncGenerator<Extent, void, void> {
    while (this.#batches.length > 0) yield* this.takeFirst();
  }

  /** Nothing is going to be taken any more. */
  close(): void {
    this.#remote.close();
    this.memory.inputs.close();
    this.memory.rooms.close();
  }

  /** The next blocks that follow each other on the disk. */
  #takeRun(batch: Batch): Extent {
    const { diskSize } = this.#options;
    const { room, blocks, taken: first } = batch;
    const { guest = 0, place = 0 } = blocks[first] ?? {};
    let length = 0;
    this.#check(batch);
    // A block that has another size than it should is looked at by itself.
    do length += blocks[batch.taken++]?.length ?? 0;
    while (
      blocks[batch.taken]?.guest === guest + length &&
      blocks[batch.taken]?.decoded === blocks[batch.taken]?.length
    );
    return { offset: guest, data: Buffer.from(room, place, Math.min(length, diskSize - guest)) };
  }

  #check({ blocks, taken }: Batch): void {
    const { guest = 0, length = 0, decoded = -1, explain } = blocks[taken] ?? {};
    const { diskSize } = this.#options;
    if (decoded >= Math.min(length, diskSize - guest)) return;
    const failure = this.#options.failure(decoded < 0);
    throw explain?.(failure) ?? failure;
  }

  /** The batch that has room for another block; undefined where there is no memory for one. */
  #gathering(compressed: number, length: number): Batch | undefined {
    const last = this.#batches.at(-1);
    if (last !== undefined && !last.isSent) {
      if (last.hasRoomFor(compressed, length)) return last;
      this.#send(last);
    }
    const batch = this.#newBatch(compressed);
    if (batch !== undefined) this.#batches.push(batch);
    return batch;
  }

  #newBatch(compressed: number): Batch | undefined {
    const { inputs, rooms } = this.memory;
    const input = inputs.take(compressed);
    if (input === undefined) return undefined;
    const room = rooms.take();
    if (room !== undefined) return new Batch(input, room);
    inputs.giveBack(input);
    return undefined;
  }

  #send(batch: Batch): void {
    batch.send(this.#options.blockSize, (blocks) => this.#remote.decode(blocks));
  }
}
