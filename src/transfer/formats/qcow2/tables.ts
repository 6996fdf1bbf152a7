import { RandomAccessNeeded } from '../../errors.ts';
import { invalid, type Header } from './header.ts';

/** Mapped clusters that may wait for their data at once. Each takes 20 bytes. */
const MOST_WAITING = 2_000_000;
const ENTRY = 8;
const OFFSET_MASK_HIGH = 0x00ffffff;
const COMPRESSED = 0x40000000;
const COMPRESSED_SECTOR = 512;
const ALL_ZEROS = 1;
const TWO_32 = 2 ** 32;

/** The clusters that one L2 table maps to places in the file, in the order of those places. */
export class ClusterRun {
  /** Places in the file. */
  readonly hosts: Float64Array;
  /** Places on the disk. */
  readonly guests: Float64Array;
  /** Bytes to look for compressed data in; 0 for a plain cluster. */
  readonly lengths: Uint32Array;
  #at = 0;

  constructor(hosts: Float64Array, guests: Float64Array, lengths: Uint32Array) {
    this.hosts = hosts;
    this.guests = guests;
    this.lengths = lengths;
  }

  get size(): number {
    return this.hosts.length;
  }

  get host(): number {
    return this.hosts[this.#at] ?? Infinity;
  }

  get guest(): number {
    return this.guests[this.#at] ?? 0;
  }

  get length(): number {
    return this.lengths[this.#at] ?? 0;
  }

  /** The same without what lies before `offset`. */
  from(offset: number): ClusterRun {
    const first = this.hosts.findIndex((host) => host >= offset);
    if (first === 0) return this;
    const start = first < 0 ? this.hosts.length : first;
    return new ClusterRun(this.hosts.subarray(start), this.guests.subarray(start), this.lengths.subarray(start));
  }

  /** False when that was the last. */
  advance(): boolean {
    this.#at += 1;
    return this.#at < this.hosts.length;
  }
}

/**
 * Places of the L2 tables in the file, sorted, with the guest offset where each begins.
 *
 * @param table the part of the L1 table that the disk's size needs
 */
export function parseL1(table: Buffer, header: Header): ClusterRun {
  const { clusterSize } = header;
  const span = clusterSize * (clusterSize / ENTRY);
  return sortedRun(table.length / ENTRY, (index, add) => {
    const high = table.readUInt32BE(index * ENTRY) & OFFSET_MASK_HIGH;
    const low = table.readUInt32BE(index * ENTRY + 4);
    const host = high * TWO_32 + (low - (low % COMPRESSED_SECTOR));
    if (host === 0) return;
    if (host % clusterSize !== 0 || !Number.isSafeInteger(host)) throw invalid('an L2 table is not aligned');
    add(host, index * span, 0);
  });
}

/**
 * @param guest offset on the disk of the first cluster that the table maps
 * @throws TransferError InvalidImage
 */
export function parseL2(table: Buffer, guest: number, header: Header): ClusterRun {
  const { clusterSize, clusterBits, size } = header;
  const entries = Math.min(table.length / ENTRY, Math.ceil((size - guest) / clusterSize));
  // Compressed: x bits of offset, then the count of further sectors, x = 62 - (cluster_bits - 8).
  const lowOffsetBits = 62 - (clusterBits - 8) - 32;
  const highOffsetMask = 2 ** lowOffsetBits - 1;
  return sortedRun(entries, (index, add) => {
    const high = table.readUInt32BE(index * ENTRY);
    const low = table.readUInt32BE(index * ENTRY + 4);
    const place = guest + index * clusterSize;
    if ((high & COMPRESSED) !== 0) {
      const host = (high & highOffsetMask) * TWO_32 + low;
      const sectors = ((high & (COMPRESSED - 1)) >>> lowOffsetBits) + 1;
      if (host === 0 || !Number.isSafeInteger(host)) throw invalid('a compressed cluster has no place');
      add(host, place, sectors * COMPRESSED_SECTOR - (host % COMPRESSED_SECTOR));
      return;
    }
    if (header.version === 3 && (low & ALL_ZEROS) !== 0) return;
    const host = (high & OFFSET_MASK_HIGH) * TWO_32 + (low - (low % COMPRESSED_SECTOR));
    if (host === 0) return;
    if (host % clusterSize !== 0 || !Number.isSafeInteger(host)) throw invalid('a cluster is not aligned');
    add(host, place, 0);
  });
}

type Add = (host: number, guest: number, length: number) => void;

function sortedRun(entries: number, forEach: (index: number, add: Add) => void): ClusterRun {
  const hosts = new Float64Array(entries);
  const guests = new Float64Array(entries);
  const lengths = new Uint32Array(entries);
  let count = 0;
  let sorted = true;
  const add: Add = (host, guest, length) => {
    if (count > 0 && host < (hosts[count - 1] ?? 0)) sorted = false;
    hosts[count] = host;
    guests[count] = guest;
    lengths[count] = length;
    count += 1;
  };
  for (let index = 0; index < entries; index += 1) forEach(index, add);
  if (sorted) return new ClusterRun(hosts.slice(0, count), guests.slice(0, count), lengths.slice(0, count));
  const order = new Uint32Array(count).map((_, index) => index).sort((a, b) => (hosts[a] ?? 0) - (hosts[b] ?? 0));
  return new ClusterRun(
    Float64Array.from(order, (index) => hosts[index] ?? 0),
    Float64Array.from(order, (index) => guests[index] ?? 0),
    Uint32Array.from(order, (index) => lengths[index] ?? 0),
  );
}

/** The clusters that a pass over the file will meet, nearest first, as far as tables have told of them. */
export class Schedule {
  readonly #heap: ClusterRun[] = [];
  #waiting = 0;

  /** @throws RandomAccessNeeded where more is known than can be kept in mind */
  add(run: ClusterRun): void {
    if (run.size === 0) return;
    this.#waiting += run.size;
    if (this.#waiting > MOST_WAITING) throw new RandomAccessNeeded('the qcow2 image maps too much before its data');
    this.#heap.push(run);
    this.#siftUp(this.#heap.length - 1);
  }

  /** The nearest; undefined at the end. */
  get next(): ClusterRun | undefined {
    return this.#heap[0];
  }

  /** Passes over the nearest. */
  advance(): void {
    const first = this.#heap[0];
    if (first === undefined) return;
    if (!first.advance()) {
      this.#waiting -= first.size;
      const last = this.#heap.pop();
      if (last === undefined || this.#heap.length === 0) return;
      this.#heap[0] = last;
    }
    this.#siftDown(0);
  }

  #host(index: number): number {
    return this.#heap[index]?.host ?? Infinity;
  }

  #siftUp(start: number): void {
    for (let index = start; index > 0;) {
      const parent = (index - 1) >>> 1;
      if (this.#host(parent) <= this.#host(index)) return;
      this.#swap(parent, index);
      index = parent;
    }
  }

  #siftDown(start: number): void {
    for (let index = start; ;) {
      const left = 2 * index + 1;
      const smaller = this.#host(left + 1) < this.#host(left) ? left + 1 : left;
      if (this.#host(index) <= this.#host(smaller)) return;
      this.#swap(index, smaller);
      index = smaller;
    }
  }

  #swap(a: number, b: number): void {
    const [first, second] = [this.#heap[a], this.#heap[b]];
    if (first === undefined || second === undefined) return;
    this.#heap[a] = second;
    this.#heap[b] = first;
  }
}
