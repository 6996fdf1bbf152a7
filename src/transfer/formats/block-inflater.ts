import type { BlockCodec } from '../decompress/block-codecs.ts';
import { threadCount } from '../decompress/decoder-threads.ts';
import { RemoteBlocks } from '../decompress/remote-blocks.ts';
import type { Extent } from '../extents.ts';

/** Decompressed by one call to another thread, in bytes. */
const BATCH = 1024 * 1024;
/** Besides those that are decompressed, one is gathered and one handed out. */
const OTHER_BATCHES = 2;

interface Block {
  host: number;
  guest: number;
  length: number;
  explain: (error: Error) => Error;
}

interface Batch {
  input: ArrayBuffer;
  filled: number;
  room: ArrayBuffer;
  blocks: Block[];
  /** How many of them have been handed out. */
  taken: number;
  /** Bytes of each block, once it was sent. */
  decoded: Promise<number[]> | undefined;
}

export interface BlockInflaterOptions {
  codec: BlockCodec;
  /** Bytes that each block has when it is decompressed; the disk's last one may end with the disk. */
  blockSize: number;
  /** What a block holds behind the disk's end is left out. */
  diskSize: number;
  /** What is wrong where a block is damaged, or has another size. */
  failure: (isDamaged: boolean) => Error;
}

/** Decompresses the blocks of a disk, several at once, in memory that is used again, and hands them out in their order. */
export class BlockInflater {
  readonly #options: BlockInflaterOptions;
  readonly #remote: RemoteBlocks;
  readonly #blocksPerBatch: number;
  readonly #free: Batch[] = [];
  /** In the order of their blocks; the last may be gathered still. */
  readonly #batches: Batch[] = [];
  #made = 0;

  constructor(options: BlockInflaterOptions) {
    this.#options = options;
    this.#remote = new RemoteBlocks(options.codec);
    this.#blocksPerBatch = Math.max(1, Math.floor(BATCH / options.blockSize));
  }

  /** Whether the first have to be taken before another can be started. */
  get isFull(): boolean {
    const gathered = this.#batches.at(-1)?.decoded === undefined && this.#batches.length > 0;
    return !gathered && this.#free.length === 0 && this.#made === threadCount + OTHER_BATCHES;
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
   * @param compressed copied
   * @param host where it lies in the file
   * @param guest where the block is on the disk
   * @param explain makes of the failure to decompress it what that means
   */
  start(compressed: Buffer, host: number, guest: number, explain = (error: Error): Error => error): void {
    const batch = this.#gathering(compressed.length);
    compressed.copy(Buffer.from(batch.input), batch.filled);
    batch.filled += compressed.length;
    batch.blocks.push({ host, guest, length: compressed.length, explain });
    if (batch.blocks.length === this.#blocksPerBatch) this.#send(batch);
  }

  /** Passes on some of the first, which are lent until the consumer comes back. */
  async *takeFirst(): AsyncGenerator<Extent, void, void> {
    const [batch] = this.#batches;
    if (batch === undefined) return;
    this.#send(batch);
    const decoded = (await batch.decoded) ?? [];
    while (batch.taken < batch.blocks.length) yield this.#takeRun(batch, decoded);
    this.#batches.shift();
    this.#free.push(batch);
  }

  async *takeAll(): AsyncGenerator<Extent, void, void> {
    while (this.#batches.length > 0) yield* this.takeFirst();
  }

  /** Nothing is going to be taken any more. */
  close(): void {
    this.#remote.close();
  }

  /** The next blocks that follow each other on the disk. */
  #takeRun(batch: Batch, decoded: number[]): Extent {
    const { blockSize, diskSize } = this.#options;
    const { room, blocks, taken: first } = batch;
    const guest = blocks[first]?.guest ?? 0;
    this.#check(batch, decoded);
    do batch.taken += 1;
    while (
      blocks[batch.taken]?.guest === guest + (batch.taken - first) * blockSize &&
      decoded[batch.taken] === blockSize
    );
    const length = Math.min((batch.taken - first) * blockSize, diskSize - guest);
    return { offset: guest, data: Buffer.from(room, first * blockSize, length) };
  }

  #check({ blocks, taken }: Batch, decoded: number[]): void {
    const length = decoded[taken] ?? -1;
    const { blockSize, diskSize } = this.#options;
    if (length >= Math.min(blockSize, diskSize - (blocks[taken]?.guest ?? 0))) return;
    const failure = this.#options.failure(length < 0);
    throw blocks[taken]?.explain(failure) ?? failure;
  }

  /** The batch that has room for another block. */
  #gathering(length: number): Batch {
    const last = this.#batches.at(-1);
    if (last !== undefined && last.decoded === undefined) {
      if (last.filled + length <= last.input.byteLength) return last;
      this.#send(last);
    }
    const batch = this.#free.pop() ?? this.#make();
    if (batch.input.byteLength < length) batch.input = new ArrayBuffer(length);
    Object.assign(batch, { filled: 0, blocks: [], taken: 0, decoded: undefined });
    this.#batches.push(batch);
    return batch;
  }

  #send(batch: Batch): void {
    if (batch.decoded !== undefined) return;
    const { input, room, blocks } = batch;
    const lengths = blocks.map(({ length }) => length);
    batch.decoded = this.#remote.decode({ input, lengths, room, blockSize: this.#options.blockSize }).then((result) => {
      batch.input = result.input;
      batch.room = result.room;
      return result.decoded;
    });
    // Awaited in its turn; until then its failure must not count as unhandled.
    batch.decoded.catch(() => {});
  }

  #make(): Batch {
    this.#made += 1;
    const size = Math.max(BATCH, this.#blocksPerBatch * this.#options.blockSize);
    const memory = () => new ArrayBuffer(size);
    return { input: memory(), filled: 0, room: memory(), blocks: [], taken: 0, decoded: undefined };
  }
}
