import type { Extent } from '../../extents.ts';
import { truncated, type Header } from './header.ts';
import { inflateCluster } from './inflate.ts';

const MOST_AT_ONCE = 8;
/** Where clusters are large, fewer of them are in memory at once. */
const MOST_BYTES = 8 * 1024 * 1024;

interface Slot {
  compressed: Buffer;
  inflated: Buffer;
  host: number;
  guest: number;
  done: Promise<void>;
}

/** Decompresses several clusters at once, in memory that is used again, and hands them out in their order. */
export class ClusterInflater {
  readonly #header: Header;
  readonly #slots: number;
  readonly #free: Slot[] = [];
  readonly #busy: Slot[] = [];
  #made = 0;

  constructor(header: Header) {
    this.#header = header;
    this.#slots = Math.min(MOST_AT_ONCE, Math.max(1, Math.floor(MOST_BYTES / header.clusterSize)));
  }

  get isEmpty(): boolean {
    return this.#busy.length === 0;
  }

  /** Whether the first has to be taken before another can be started. */
  get isFull(): boolean {
    return this.#busy.length === this.#slots;
  }

  /** Where the first to come lies in the file. */
  get host(): number {
    return this.#busy[0]?.host ?? Infinity;
  }

  /**
   * @param bytes what the cluster may take of the file; copied
   * @param length how much that should be
   */
  start(bytes: Buffer, length: number, host: number, guest: number): void {
    const slot = this.#free.pop() ?? this.#make();
    if (slot.compressed.length < bytes.length) slot.compressed = Buffer.allocUnsafeSlow(bytes.length);
    bytes.copy(slot.compressed);
    slot.host = host;
    slot.guest = guest;
    const compressed = slot.compressed.subarray(0, bytes.length);
    slot.done = inflateCluster(compressed, slot.inflated, this.#header.compressionType).catch((error: unknown) => {
      // The file's last sector need not be whole; when that is not enough, the file is incomplete rather than damaged.
      throw bytes.length < length ? truncated() : error;
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
    yield { offset: slot.guest, data: slot.inflated.subarray(0, this.#header.size - slot.guest) };
    this.#free.push(slot);
  }

  async *takeAll(): AsyncGenerator<Extent, void, void> {
    while (!this.isEmpty) yield* this.takeFirst();
  }

  /** Waits until nothing is being decompressed, without caring how it ends. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#busy.map(({ done }) => done));
  }

  #make(): Slot {
    if (this.#made === this.#slots) throw new Error('more clusters are started than there is room for');
    this.#made += 1;
    const inflated = Buffer.allocUnsafeSlow(this.#header.clusterSize);
    return { compressed: Buffer.alloc(0), inflated, host: 0, guest: 0, done: Promise.resolve() };
  }
}
