import { ByteReader, type ByteStream, type PieceStream } from '../../base/bytes.ts';
import type { Liblzma } from '../native/liblzma.ts';
import { DecodingFailed } from '../native/stream-codec.ts';
import { windowMemory, type WindowMemory } from '../native/window-memory.ts';
import { xzMemory } from '../../base/native/memory-limit.ts';
import { DecodedParts, SHORT_PART } from './decoded-parts.ts';
import { DecoderMemory } from './decoder-memory.ts';
import { threadCount } from './decoder-threads.ts';
import { RemoteStream } from './remote-stream.ts';
import { readXzBlocks, type UnreadXzBlock } from './xz-container.ts';

/** Of 512 KiB each. What is left of a block while it is decoded has to be in memory before the next one can be begun. */
const INPUTS = 14;
/** While one thread decodes the rest of a block, another decodes the start of the next one into what is not needed for the first. */
const ROOMS = 12;
/** In bytes. */
const ROOM = 512 * 1024;
/** Blocks that may wait for those before them. */
const MOST_PARTS = 32;
/** In bytes. Of 24 MiB of zeros less than 4 KiB are left. */
const LARGEST_REMEMBERED = 64 * 1024;

/** A block that was found to be nothing but zeros. */
interface ZeroBlock {
  check: number;
  bytes: Buffer;
}

/**
 * Decodes an xz file, of several blocks as many at once as there are threads. A block that is, byte by byte, the same as one that
 * was nothing but zeros is not decoded again: most blocks of a disk are, and zeros take longer than downloading them does.
 */
export class XzDecoder {
  readonly #lzma: Liblzma;
  readonly #limits = xzMemory();
  readonly #memory = new DecoderMemory(INPUTS, ROOMS, ROOM);
  readonly #parts = new DecodedParts();
  /** Those that are being decoded, by thread. */
  readonly #running = new Map<number, { stream: RemoteStream; memory: number }>();
  #zeroBlock: ZeroBlock | undefined;
  #isClosed = false;

  readonly #windows: WindowMemory;

  constructor(lzma: Liblzma, windows = windowMemory) {
    this.#lzma = lzma;
    this.#windows = windows;
  }

  /** Hands over all of the input. What that fails with is thrown by {@link output}. */
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

  /** @throws DecodingFailed, and what the input fails with */
  output(): ByteStream {
    return this.#parts.inOrder();
  }

  /** What has not been taken of the output, of all blocks as they are decoded. Throws as {@link output} does. */
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

  /** @returns false where nothing can be read behind it */
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

  /** Several blocks at once have to do with what the first of any decoder leaves. */
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
