import { type BlockRange, endOf } from '../base/block-range.ts';
import { TransferError } from '../base/errors.ts';
import { RangeList } from './range-list.ts';
import type { BlockMetadataResponse } from './service-definition.ts';

/** Takes the messages of a stream, and of those that continue it, and refuses what cannot be true. */
export class OrderedRanges {
  readonly #list: RangeList;
  readonly #capacity: number;
  #end = 0;
  /** The end of the last range of the stream that is read now. */
  #endInStream = 0;

  /**
   * @param capacity of the volume in bytes, which the messages have to agree with
   * @param most ranges that are kept
   */
  constructor(capacity: number, most: number) {
    this.#capacity = capacity;
    this.#list = new RangeList(most);
  }

  /** The offset from which a stream has to continue. */
  get end(): number {
    return this.#end;
  }

  /** Begins a stream, whose first range may begin before where it has to continue. */
  beginStream(): void {
    this.#endInStream = 0;
  }

  /** @throws TransferError ProtocolViolation */
  add({
    block_metadata_type: type,
    volume_capacity_bytes: capacity,
    block_metadata: blocks,
  }: BlockMetadataResponse): void {
    if (type === 'UNKNOWN') throw nonsense('it does not say whether its ranges are of one length');
    if (capacity !== this.#capacity) {
      throw nonsense(`it says that the volume has ${capacity} bytes, which has ${this.#capacity}`);
    }
    for (const { byte_offset: offset, size_bytes: length } of blocks) this.#addRange(offset, length);
  }

  /** Returns all ranges, once the last stream has ended. */
  finish(): BlockRange[] {
    return this.#list.finish();
  }

  #addRange(offset: number, length: number): void {
    const range = { offset, length };
    const end = endOf(range);
    if (![offset, length, end].every(Number.isSafeInteger) || offset < 0 || length <= 0) {
      throw nonsense(`a range of ${length} bytes at ${offset} is none`);
    }
    if (end > this.#capacity)
      throw nonsense(`a range ends at ${end}, beyond the end of the volume at ${this.#capacity}`);
    if (offset < this.#endInStream) {
      throw nonsense(`a range begins at ${offset}, before the end of the one before it at ${this.#endInStream}`);
    }
    this.#endInStream = end;
    const from = Math.max(offset, this.#end);
    if (from >= end) return;
    this.#list.add({ offset: from, length: end - from });
    this.#end = end;
  }
}

function nonsense(what: string): TransferError {
  return new TransferError('ProtocolViolation', `the SnapshotMetadata service answers nonsense: ${what}`);
}
