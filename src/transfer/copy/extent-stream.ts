/**
 * The wire format of a disk without its runs of zeros:
 *
 *     header   8 bytes "DPXTENT1", u64 size of the disk
 *     check    u8 kind (4), u64 offset, the first 8 bytes of the SHA-256 of a block that is not sent (block-checks.ts)
 *     …
 *     record   u8 kind (1 data, 2 zeros, 5 unchanged), u64 offset, u64 length; then, for data, `length` bytes
 *     …
 *     end      u8 kind (3), u64 offset = size of the disk, u64 length = bytes of data sent
 *
 * All numbers are big-endian. Records follow each other without gaps, so that a stream with a missing part cannot be
 * mistaken for a complete one. Checks and unchanged ranges are sent only to a target that holds a base: what is
 * unchanged stays as it is there, if the checks show that it is the same.
 */
import { TransferError } from '../../base/errors.ts';
import type { BlockCheck } from './block-checks.ts';

/**
 * Part of a disk, in bytes; without `data` it is all zeros. `data` is valid until the next extents are requested, or
 * for as long as `keepUntil` has it lent.
 */
export interface DiskExtent {
  offset: number;
  length: number;
  data?: Buffer;
  /** Lends the data until the promise has settled. */
  keepUntil?: (settled: Promise<unknown>) => void;
  /** Set where the target has this part already, which is neither data nor zeros then. */
  isUnchanged?: true;
}

/** A disk to be sent, or the rest of one. */
export interface DiskExtents {
  /** Size of the disk in bytes. */
  size: number;
  /** The extents up to the end of the disk, some at a time, in order and without gaps. */
  extents: AsyncIterable<readonly DiskExtent[]>;
  /** What a target has to hold already where extents are unchanged. */
  checks?: readonly BlockCheck[];
}

const MAGIC = Buffer.from('DPXTENT1', 'ascii');
const HEADER_LENGTH = 16;
const RECORD_LENGTH = 17;
const DATA = 1;
const ZEROS = 2;
const END = 3;
const CHECK = 4;
const UNCHANGED = 5;

/** Yields the stream in buffers that stay valid until the next ones are requested. */
export async function* encodeExtents(source: DiskExtents): AsyncGenerator<readonly Buffer[]> {
  const header = Buffer.allocUnsafe(HEADER_LENGTH);
  MAGIC.copy(header);
  header.writeBigUInt64BE(BigInt(source.size), MAGIC.length);
  yield [header, ...(source.checks ?? []).map(({ offset, code }) => record(CHECK, offset, code))];

  let dataBytes = 0;
  for await (const extents of source.extents) {
    yield extents.flatMap(({ offset, length, data, isUnchanged }) => {
      if (!data) return [record(isUnchanged ? UNCHANGED : ZEROS, offset, BigInt(length))];
      dataBytes += length;
      return [record(DATA, offset, BigInt(length)), data];
    });
  }
  yield [record(END, source.size, BigInt(dataBytes))];
}

function record(kind: number, offset: number, content: bigint): Buffer {
  const buffer = Buffer.allocUnsafe(RECORD_LENGTH);
  buffer.writeUInt8(kind, 0);
  buffer.writeBigUInt64BE(BigInt(offset), 1);
  buffer.writeBigUInt64BE(content, 9);
  return buffer;
}

/**
 * Decodes a stream of extents that arrives in pieces of any size. Allocates nothing in proportion to what the stream
 * claims: data is passed on as slices of the pieces.
 */
export class ExtentDecoder {
  #size: number | undefined;
  #offset = 0;
  #dataBytes = 0;
  #dataLeft = 0;
  #ended = false;
  /** The received part of an incomplete header or record. */
  readonly #partial = Buffer.alloc(RECORD_LENGTH);
  #partialLength = 0;
  readonly #expectedSize: number;
  readonly #holdsBase: boolean;

  /**
   * Both sizes are in bytes, as agreed before the stream began.
   *
   * @param expectedSize size of the whole disk
   * @param from where the first extent begins
   * @param options.holdsBase whether parts may be unchanged
   */
  constructor(expectedSize: number, from = 0, { holdsBase = false } = {}) {
    this.#expectedSize = expectedSize;
    this.#offset = from;
    this.#holdsBase = holdsBase;
  }

  /**
   * @returns the checks and extents in a piece of the stream; their data are slices of the piece
   * @throws TransferError StreamCorrupted
   */
  *decode(piece: Buffer): Generator<DiskExtent | BlockCheck> {
    let position = 0;
    while (position < piece.length) {
      if (this.#dataLeft > 0) {
        const data = piece.subarray(position, position + this.#dataLeft);
        position += data.length;
        this.#dataLeft -= data.length;
        const offset = this.#offset;
        this.#offset += data.length;
        yield { offset, length: data.length, data };
        continue;
      }
      if (this.#ended) throw malformed(`${piece.length - position} bytes follow its end`);
      const wanted = this.#size === undefined ? HEADER_LENGTH : RECORD_LENGTH;
      const taken = piece.copy(this.#partial, this.#partialLength, position, position + wanted - this.#partialLength);
      position += taken;
      this.#partialLength += taken;
      if (this.#partialLength < wanted) return;
      this.#partialLength = 0;
      if (this.#size === undefined) {
        this.#readHeader();
      } else {
        const decoded = this.#readRecord(this.#size);
        if (decoded) yield decoded;
      }
    }
  }

  /** @throws TransferError StreamCorrupted where the stream is incomplete */
  end(): void {
    if (!this.#ended) throw malformed(`it ends at offset ${this.#offset} of ${this.#expectedSize}`);
  }

  #readHeader(): void {
    if (!this.#partial.subarray(0, MAGIC.length).equals(MAGIC)) throw malformed('it does not begin with its signature');
    this.#size = safeNumber(this.#partial, MAGIC.length);
    if (this.#size !== this.#expectedSize) {
      throw malformed(`a disk of ${this.#expectedSize} bytes was announced, one of ${this.#size} is sent`);
    }
  }

  #readRecord(size: number): DiskExtent | BlockCheck | undefined {
    const kind = this.#partial.readUInt8(0);
    const offset = safeNumber(this.#partial, 1);
    if (kind === CHECK && this.#holdsBase) {
      if (offset >= size) throw malformed(`a check at offset ${offset} of ${size}`);
      return { offset, code: this.#partial.readBigUInt64BE(9) };
    }
    const length = safeNumber(this.#partial, 9);
    if (offset !== this.#offset) throw malformed(`a record for offset ${offset} where ${this.#offset} was due`);
    if (kind === END) {
      if (offset !== size) throw malformed(`it ends at offset ${offset} of ${size}`);
      if (length !== this.#dataBytes) throw malformed(`${length} bytes of data were sent, ${this.#dataBytes} arrived`);
      this.#ended = true;
      return undefined;
    }
    const isUnchanged = kind === UNCHANGED && this.#holdsBase;
    if (kind !== DATA && kind !== ZEROS && !isUnchanged)
      throw malformed(`unknown kind of record ${kind} at offset ${offset}`);
    if (length === 0 || length > size - offset) {
      throw malformed(`a record of ${length} bytes at offset ${offset} of a disk of ${size}`);
    }
    if (kind === DATA) {
      this.#dataLeft = length;
      this.#dataBytes += length;
      return undefined;
    }
    this.#offset += length;
    return { offset, length, ...(isUnchanged && { isUnchanged }) };
  }
}

function safeNumber(buffer: Buffer, position: number): number {
  const value = buffer.readBigUInt64BE(position);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw malformed(`a number of ${value} bytes`);
  return Number(value);
}

function malformed(what: string): TransferError {
  return new TransferError('StreamCorrupted', `the stream of the disk is malformed: ${what}`);
}
