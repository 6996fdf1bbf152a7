import type { Extent } from '../extents.ts';

const MOST_AT_ONCE = 8;
/** Where blocks are large, fewer of them are in memory at once. */
const MOST_BYTES = 8 * 1024 * 1024;

interface Slot {
  compressed: Buffer;
  inflated: Buffer;
  host: number;
  guest: number;
  done: Promise<void>;
}

export interface BlockInflaterOptions {
  /** Bytes that each block has when it is decompressed. */
  blockSize: number;
  /** What a block holds behind the disk's end is left out. */
  diskSize: number;
  /** Fills the block, off the event loop, or rejects. */
  inflate(compressed: Buffer, block: Buffer): Promise<void>;
}

/** Decompresses several blocks of a disk at once, in memory that is used again, and hands them out in their order. */
export class BlockInflater {
  readonly #options: BlockInflaterOptions;
  readonly #slots: number;
  readonly #free: Slot[] = [];
  readonly #busy: Slot[] = [];
  #made = 0;

  constructor(options: BlockInflaterOptions) {
    this.#options = options;
    this.#slots = Math.min(MOST_AT_ONCE, Math.max(1, Math.floor(MOST_BYTES / options.blockSize)));
  }

  /** Whether the first has to be taken before another can be started. */
  get isFull(): boolean {
    return this.#busy.length === this.#slots;
  }

  /** Where the first to come lies in the file; Infinity where there is none. */
  get host(): number {
    return this.#busy[0]?.host ?? Infinity;
  }

  /**
   * @param compressed copied
   * @param host where it lies in the file
   * @param guest where the block is on the disk
   * @param explain makes of the failure to decompress it what that means
   */
  start(compressed: Buffer, host: number, guest: number, explain?: (error: unknown) => unknown): void {
    const slot = this.#free.pop() ?? this.#make();
    if (slot.compressed.length < compressed.length) slot.compressed = Buffer.allocUnsafeSlow(compressed.length);
    compressed.copy(slot.compressed);
    slot.host = host;
    slot.guest = guest;
    const inflated = this.#options.inflate(slot.compressed.subarray(0, compressed.length), slot.inflated);
    slot.done = inflated.catch((error: unknown) => {
      throw explain === undefined ? error : explain(error);
    });
    // Awaited in its turn; until then its failure must not count as unhandled.
    slot.done.catch(() => {});
    this.#busy.push(slot);
  }

  /** Passes on the first, which is lent until the consumer comes back. */
  async *takeFirst(): AsyncGenerator<Extent, void, void> {
    const slot = this.#busy[0];
    if (slot === undefined) return;
    await slot.done;
    this.#busy.shift();
    yield { offset: slot.guest, data: slot.inflated.subarray(0, this.#options.diskSize - slot.guest) };
    this.#free.push(slot);
  }

  async *takeAll(): AsyncGenerator<Extent, void, void> {
    while (this.#busy.length > 0) yield* this.takeFirst();
  }

  /** Waits until nothing is being decompressed, without caring how it ends. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#busy.map(({ done }) => done));
  }

  #make(): Slot {
    if (this.#made === this.#slots) throw new Error('more blocks are started than there is room for');
    this.#made += 1;
    const inflated = Buffer.allocUnsafeSlow(this.#options.blockSize);
    return { compressed: Buffer.alloc(0), inflated, host: 0, guest: 0, done: Promise.resolve() };
  }
}
