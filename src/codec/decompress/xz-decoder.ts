import { ByteReader, type ByteStream, type PieceStream } from '../../base/bytes.ts';
import { xzMemory } from '../../base/native/memory-limit.ts';
import type { Liblzma } from '../native/liblzma.ts';
import { DecodingFailed } from '../native/stream-codec.ts';
import { type WindowMemory, windowMemory } from '../native/window-memory.ts';
import { DecodedParts, SHORT_PART } from './decoded-parts.ts';
import { DecoderMemory } from './decoder-memory.ts';
import { threadCount } from './decoder-threads.ts';
import { RemoteStream } from './remote-stream.ts';
import { readXzBlocks, type UnreadXzBlock } from './xz-container.ts';

/**
 * Number of input buffers, of 512 KiB each. The rest of a block that is being decoded has to fit into memory before the
 * next block can be started.
 */
const INPUTS = 14;
/**
 * Number of output buffers. While one thread decodes the rest of a block, another one decodes the start of the next
 * block into the buffers that the first one does not need.
 */
const ROOMS = 12;
/** Length of an output buffer in bytes. */
const ROOM = 512 * 1024;
/** Most blocks that may wait for those before them. */
const MOST_PARTS = 32;
/** Longest block that is remembered, in bytes. 24 MiB of zeros compress to less than 4 KiB. */
const LARGEST_REMEMBERED = 64 * 1024;

/** A block that was found to contain only zeros. */
interface ZeroBlock {
  check: number;
  bytes: Buffer;
}

/**
 * Decodes an xz file, with concurrent blocks where it has several. A block that equals, byte by byte, one that
 * contained only zeros is not decoded again: most blocks of a disk are like this, and decoding zeros takes longer than
 * downloading them.
 */
export class XzDecoder {
  readonly #lzma: Liblzma;
  readonly #limits = xzMemory();
  readonly #memory = new DecoderMemory(INPUTS, ROOMS, ROOM);
  readonly #parts = new DecodedParts();
  /** Blocks that are being decoded, by thread. */
  readonly #running = new Map<number, { stream: RemoteStream; memory: number }>();
  #zeroBlock: ZeroBlock | undefined;
  #isClosed = false;

  readonly #windows: WindowMemory;

  constructor(lzma: Liblzma, windows = windowMemory) {
    this.#lzma = lzma;
    this.#windows = windows;
  }

  /** Feeds the whole input. Its failure is thrown by {@link output}. */
  async feed(input: ByteStream): Promise<void> {
    const reader = new ByteReader(input);
    try {
      for await (const block of readXzBlocks(reader, this.#lzma, this.#limits.most)) {
        if (this.#isClosed || !(await this.#decode(block, reader))) break;
      }
      this.#parts.end(undefined);
    } catch (error) {
      this.#parts.end(error);
    }
  }

  /** @throws DecodingFailed, and the failure of the input */
  output(): ByteStream {
    return this.#parts.inOrder();
  }

  /** Yields the output that has not been taken, from all blocks as they are decoded. Throws as {@link output} does. */
  pieces(): PieceStream {
    this.#memory.treatAllAlike();
    return this.#parts.inAnyOrder();
  }

  close(): void {
    this.#isClosed = true;
    for (const { stream } of this.#running.values()) stream.close();
    this.#memory.close();
    this.#parts.close();
  }

  /** @returns false where nothing can be read after the block */
  async #decode(block: UnreadXzBlock, reader: ByteReader): Promise<boolean> {
    const { check, header, place } = block;
    const length = Number(place?.sizes.uncompressed ?? 0);
    const mayBeKnown = place !== undefined && place.total <= LARGEST_REMEMBERED && length >= SHORT_PART;
    const bytes = mayBeKnown ? await reader.peek(place.total) : undefined;
    if (bytes !== undefined && this.#isKnownToBeZeros(check, bytes)) {
      await reader.take(bytes.length);
      this.#parts.addZeros(length);
      return true;
    }
    const remembered = bytes && { check, bytes: Buffer.from(bytes) };
    const stream = await this.#start(block, remembered);
    if (stream === undefined) return false;
    this.#parts.addStream(stream, length);
    await reader.take(header.length);
    if (place !== undefined) return stream.feed(reader.some(place.total - header.length));
    block.sizes = (await stream.feedUntilEnd(reader))?.sizes;
    this.#parts.lengthen(Number(block.sizes?.uncompressed ?? 0));
    return block.sizes !== undefined;
  }

  #isKnownToBeZeros(check: number, bytes: Buffer): boolean {
    return this.#zeroBlock?.check === check && this.#zeroBlock.bytes.equals(bytes);
  }

  /** Waits for a thread, and for memory. */
  async #start(block: UnreadXzBlock, remembered: ZeroBlock | undefined): Promise<RemoteStream | undefined> {
    while (!this.#isClosed && !this.#takesMemoryFor(block)) {
      const ends = Array.from(this.#running.values(), ({ stream }) => stream.over);
      await Promise.race([this.#parts.partTaken(), ...ends]);
    }
    if (this.#isClosed) return undefined;
    const { header, check, memory } = block;
    let thread = 0;
    while (this.#running.has(thread)) thread += 1;
    const stream = new RemoteStream({ kind: 'xz block', block: { header, check } }, this.#memory, thread);
    this.#running.set(thread, { stream, memory });
    void stream.over.then(() => {
      this.#running.delete(thread);
      this.#windows.release(memory);
      if (remembered !== undefined && stream.wasZeros) this.#zeroBlock = remembered;
    });
    return stream;
  }

  /** Reserves memory. Concurrent blocks are limited to what remains besides the first block of any decoder. */
  #takesMemoryFor({ memory, place }: UnreadXzBlock): boolean {
    const isLong = place !== undefined && place.sizes.uncompressed >= SHORT_PART;
    if (this.#parts.count >= (isLong ? MOST_PARTS : 1)) return false;
    const running = [...this.#running.values()];
    const together = running.reduce((sum, each) => sum + each.memory, memory);
    if (running.length > 0) {
      if (running.length >= threadCount || together > this.#limits.threaded) return false;
      return this.#windows.reserve(memory, this.#limits.threaded);
    }
    if (!this.#windows.reserve(memory)) throw new DecodingFailed('memory');
    return true;
  }
}
