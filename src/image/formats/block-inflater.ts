import type { Extent } from '../../base/extents.ts';
import { MemoryPool } from '../../base/memory-pool.ts';
import { alignableLength } from '../../base/native/aligned-memory.ts';
import type { BlockCodec } from '../../codec/decompress/block-codecs.ts';
import { blockThreadCount } from '../../codec/decompress/decoder-threads.ts';
import { RemoteBlocks } from '../../codec/decompress/remote-blocks.ts';
import { Batch } from './block-batch.ts';

/** Bytes of one call to another thread: as much as is written at once. */
const BATCH = 1024 * 1024;
/** Besides the batches that are being decompressed, one is filled and one is handed out. */
const BATCHES = blockThreadCount + 2;
/** Batches whose content is being written from where it is. */
const LENT = 3;
/** Bytes by which a block that hardly compresses may exceed its content: the sectors that it shares with others. */
const INPUT_SLACK = 512;
/** Longest plain data that is copied, in bytes; longer data deserves its own write. */
const LONGEST_COPIED = 128 * 1024;

const asItIs = (error: Error): Error => error;

export interface BlockInflaterOptions {
  codec: BlockCodec;
  /** Decompressed size of each block; the last one may end with the disk. */
  blockSize: number;
  /** Size of the disk; content of a block after its end is left out. */
  diskSize: number;
  /** Makes the failure where a block is damaged, or has another size. */
  failure: (isDamaged: boolean) => Error;
}

/**
 * Decompresses blocks of a disk, several at once, in reused memory, and hands them out in order. A caller that starts
 * more than fits into memory has to take some first.
 */
export class BlockInflater {
  /** Compressed blocks, and their decompressed content. */
  readonly memory: { readonly inputs: MemoryPool; readonly rooms: MemoryPool };
  readonly #options: BlockInflaterOptions;
  readonly #remote: RemoteBlocks;
  /** Batches in the order of their blocks; the last one may still be filled. */
  readonly #batches: Batch[] = [];

  constructor(options: BlockInflaterOptions) {
    this.#options = options;
    this.#remote = new RemoteBlocks(options.codec);
    const input = Math.max(BATCH, options.blockSize + INPUT_SLACK);
    const room = alignableLength(Math.max(BATCH, options.blockSize));
    this.memory = {
      inputs: new MemoryPool(BATCHES * input, input),
      rooms: new MemoryPool((BATCHES + LENT) * room, room),
    };
  }

  /** Offset in the file of the first block to come; Infinity where there is none. */
  get host(): number {
    for (const { blocks, taken } of this.#batches) {
      const next = blocks[taken];
      if (next !== undefined) return next.host;
    }
    return Infinity;
  }

  /**
   * Starts to decompress a block.
   *
   * @param compressed is copied; at most twice the size of the block
   * @param host offset in the file
   * @param guest offset on the disk
   * @param explain translates a failure to decompress the block
   * @returns false where some have to be taken first
   */
  start(compressed: Buffer, host: number, guest: number, explain = asItIs): boolean {
    const { blockSize } = this.#options;
    const batch = this.#gathering(compressed.length, blockSize);
    if (batch === undefined) return false;
    batch.addCompressed(compressed, { host, guest, length: blockSize, explain });
    if (!batch.hasRoomFor(0, blockSize)) this.#send(batch);
    return true;
  }

  /** Whether plain data is better handed out in its turn, together with the blocks around it, than by itself. */
  takesPlain(length: number): boolean {
    return this.#batches.length > 0 && length <= LONGEST_COPIED;
  }

  /**
   * Adds uncompressed data as {@link start} does.
   *
   * @param bytes are copied; of a length for which {@link takesPlain} is true
   */
  addPlain(bytes: Buffer, host: number, guest: number): boolean {
    const batch = this.#gathering(0, bytes.length);
    batch?.addPlain(bytes, { host, guest, length: bytes.length, explain: asItIs });
    return batch !== undefined;
  }

  /** Yields the first blocks; where there are none, waits until something is given back. */
  async *takeFirst(): AsyncGenerator<Extent, void, void> {
    const [batch] = this.#batches;
    if (batch === undefined) {
      await this.memory.rooms.untilGivenBack();
      return;
    }
    this.#send(batch);
    await batch.decoded();
    const uses: Promise<unknown>[] = [];
    while (batch.taken < batch.blocks.length) {
      yield { ...this.#takeRun(batch), keepUntil: (settled) => void uses.push(settled) };
    }
    this.#batches.shift();
    this.memory.inputs.giveBack(batch.input);
    this.memory.rooms.giveBackAfter(batch.room, uses);
  }

  async *takeAll(): AsyncGenerator<Extent, void, void> {
    while (this.#batches.length > 0) yield* this.takeFirst();
  }

  /** Stops; nothing can be taken any more. */
  close(): void {
    this.#remote.close();
    this.memory.inputs.close();
    this.memory.rooms.close();
  }

  /** Returns the next blocks that are contiguous on the disk. */
  #takeRun(batch: Batch): Extent {
    const { diskSize } = this.#options;
    const { room, blocks, taken: first } = batch;
    const { guest = 0, place = 0 } = blocks[first] ?? {};
    let length = 0;
    this.#check(batch);
    // A block of an unexpected size is handled by itself.
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

  /** Returns the batch with room for another block; undefined where there is no memory for one. */
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
