import { DecodingFailed, type Step, type StreamDecoder } from './stream-codec.ts';
import { type WindowMemory, windowMemory } from './window-memory.ts';
import type { Xxh64 } from './xxh64.ts';
import { ZstdContent } from './zstd-content.ts';
import {
  BLOCK_HEADER_LENGTH,
  type BlockHeader,
  blockStartLength,
  CHECKSUM_LENGTH,
  frameHeaderLength,
  LONGEST_HEADER,
  plainFrameHeader,
  readBlockHeader,
  readFrameHeader,
  refuseUndecodable,
  skippableLength,
} from './zstd-format.ts';

/** Decodes consecutive zstd frames. */
export interface FrameStream {
  /** @throws DecodingFailed */
  decode(input: Buffer, output: Buffer): { consumed: number; produced: number };
  /** Frees its memory. */
  close(): void;
}

interface NextBlock extends BlockHeader {
  kind: 'block';
  content: ZstdContent;
  /** The byte of a run-length block; empty for other blocks. */
  byte: Buffer;
}

/** What comes next in the input. Lengths are in bytes. */
type Next =
  | { kind: 'frame header' }
  | { kind: 'skippable'; length: number }
  | { kind: 'block header' | 'checksum'; content: ZstdContent }
  | NextBlock;

const nothing = Buffer.alloc(0);

/**
 * Decodes zstd frames (RFC 8878 section 3.1) and skips most of a disk's holes: while everything that a block could
 * refer to is zeros, another block of zeros changes nothing for those that follow. As libzstd does not see these
 * blocks, it does not get the size and the checksum of the content either; both are verified here.
 */
export class ZstdDecoder implements StreamDecoder {
  readonly #frames: FrameStream;
  readonly #hash: Xxh64;
  #next: Next = { kind: 'frame header' };
  /** The received part of the next header. */
  readonly #header = Buffer.alloc(LONGEST_HEADER);
  #filled = 0;
  #complete = false;
  readonly #memory: WindowMemory;
  /** Bytes reserved for the largest window so far: libzstd keeps that memory for later frames. */
  #reserved = 0;

  constructor(frames: FrameStream, hash: Xxh64, memory = windowMemory) {
    this.#frames = frames;
    this.#hash = hash;
    this.#memory = memory;
  }

  step(input: Buffer, output: Buffer): Step {
    if (this.#next.kind === 'block') {
      const step = this.#decodeBlock(this.#next, input, output);
      if (step.consumed > 0 || step.produced > 0) return step;
    }
    return this.#next.kind === 'skippable' ? this.#skip(this.#next, input) : this.#readHeaders(input);
  }

  close(): void {
    this.#frames.close();
    this.#memory.release(this.#reserved);
    this.#reserved = 0;
  }

  #decodeBlock(next: NextBlock, input: Buffer, output: Buffer): Step {
    const { content, byte } = next;
    const isRun = byte.length > 0;
    const source = (isRun ? byte : input).subarray(0, next.length);
    const { consumed, produced } = this.#frames.decode(source, output);
    next.length -= consumed;
    content.add(output.subarray(0, produced), byte[0] === 0);
    // Where room is left, all decoded content is out.
    if (next.length === 0 && produced < output.length) this.#endBlock(next);
    return { consumed: isRun ? 0 : consumed, produced, complete: this.#complete };
  }

  #endBlock({ content, isLast }: NextBlock): void {
    this.#next = { kind: 'block header', content };
    if (!isLast) return;
    content.checkSize();
    if (content.hasChecksum) this.#next = { kind: 'checksum', content };
    else this.#endFrame();
  }

  #endFrame(): void {
    this.#next = { kind: 'frame header' };
    this.#complete = true;
  }

  #skip(next: { length: number }, input: Buffer): Step {
    const consumed = Math.min(next.length, input.length);
    next.length -= consumed;
    if (next.length === 0) this.#endFrame();
    return { consumed, produced: 0, complete: this.#complete };
  }

  /** Reads headers until something else follows. */
  #readHeaders(input: Buffer): Step {
    let consumed = 0;
    let zeros = 0;
    while (this.#next.kind !== 'block' && this.#next.kind !== 'skippable') {
      const header = this.#header.subarray(0, this.#filled);
      const missing = this.#headerLength(header) - header.length;
      if (missing === 0) {
        this.#filled = 0;
        zeros += this.#takeHeader(header);
      } else if (consumed < input.length) {
        const copied = input.copy(this.#header, this.#filled, consumed, consumed + missing);
        this.#filled += copied;
        consumed += copied;
        this.#complete = false;
      } else {
        break;
      }
    }
    return { consumed, produced: 0, zeros, complete: this.#complete };
  }

  /** Returns the length of the header, as far as its first bytes tell. */
  #headerLength(header: Buffer): number {
    switch (this.#next.kind) {
      case 'frame header':
        return frameHeaderLength(header) ?? foreign();
      case 'block header':
        return blockStartLength(header);
      default:
        return CHECKSUM_LENGTH;
    }
  }

  /** @returns how many zeros the header represents, where they need not be decoded */
  #takeHeader(header: Buffer): number {
    const next = this.#next;
    if (next.kind === 'block header') return this.#beginBlock(header, next.content);
    if (next.kind === 'checksum') {
      next.content.check(header.readUInt32LE());
      this.#endFrame();
    } else {
      this.#beginFrame(header);
    }
    return 0;
  }

  #beginFrame(header: Buffer): void {
    const skippable = skippableLength(header);
    if (skippable !== undefined) {
      this.#next = { kind: 'skippable', length: skippable };
      return;
    }
    const frame = readFrameHeader(header);
    refuseUndecodable(frame);
    this.#reserve(frame.windowSize);
    this.#frames.decode(plainFrameHeader(frame.windowSize), nothing);
    this.#next = { kind: 'block header', content: new ZstdContent(frame, this.#hash) };
  }

  #reserve(window: number): void {
    if (window <= this.#reserved) return;
    this.#memory.release(this.#reserved);
    this.#reserved = 0;
    if (!this.#memory.reserve(window)) throw new DecodingFailed('memory');
    this.#reserved = window;
  }

  #beginBlock(header: Buffer, content: ZstdContent): number {
    const block = readBlockHeader(header);
    const byte = header.subarray(BLOCK_HEADER_LENGTH);
    if (block.run !== undefined && byte[0] === 0 && !block.isLast && content.ignoresZeros(block.run)) {
      content.addZeros(block.run);
      return block.run;
    }
    this.#frames.decode(header.subarray(0, BLOCK_HEADER_LENGTH), nothing);
    this.#next = { kind: 'block', content, byte, ...block };
    return 0;
  }
}

function foreign(): never {
  throw new DecodingFailed('foreign');
}
