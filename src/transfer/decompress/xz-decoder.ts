import { ByteReader, type ByteStream } from '../bytes.ts';
import type { Liblzma } from '../native/liblzma.ts';
import { xzMemory } from '../native/memory-limit.ts';
import { zeroPieces } from '../zeros.ts';
import { DecoderMemory } from './decoder-memory.ts';
import { threadCount } from './decoder-threads.ts';
import { RemoteStream } from './remote-stream.ts';
import { readXzBlocks, type UnreadXzBlock } from './xz-container.ts';

/** Of 512 KiB each. What is left of a block while it is decoded has to be in memory before the next one can be begun. */
const INPUTS = 8;
/** While one thread decodes the rest of a block, another decodes the start of the next one into what is not needed for the first. */
const ROOMS = 18;
/** In bytes. */
const ROOM = 512 * 1024;
/** Blocks that may wait for those before them. */
const MOST_PARTS = 32;
/** Of 24 MiB of zeros less than 4 KiB are left. */
const LARGEST_REMEMBERED = 64 * 1024;

type Part = { stream: RemoteStream } | { zeros: number };

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
  readonly #parts: Part[] = [];
  /** Those that are being decoded, by thread. */
  readonly #running = new Map<number, { stream: RemoteStream; memory: number }>();
  #zeroBlock: ZeroBlock | undefined;
  #current: RemoteStream | undefined;
  #end: { failure: unknown } | undefined;
  #isClosed = false;
  #partAdded = (): void => {};
  #partTaken = (): void => {};

  constructor(lzma: Liblzma) {
    this.#lzma = lzma;
  }

  /** Hands over all of the input. What that fails with is thrown by {@link output}. */
  async feed(input: ByteStream): Promise<void> {
    const reader = new ByteReader(input);
    try {
      for await (const block of readXzBlocks(reader, this.#lzma, this.#limits.most)) {
        if (this.#isClosed || !(await this.#decode(block, reader))) break;
      }
      this.#end = { failure: undefined };
    } catch (error) {
      this.#end = { failure: error };
    }
    this.#partAdded();
  }

  /** @throws DecodingFailed, and what the input fails with */
  async *output(): ByteStream {
    for (;;) {
      const part = this.#parts.shift();
      if (part === undefined) {
        if (this.#end === undefined) await new Promise<void>((resolve) => (this.#partAdded = resolve));
        else if (this.#end.failure === undefined) return;
        else throw this.#end.failure as Error;
        continue;
      }
      this.#partTaken();
      if ('zeros' in part) {
        yield* zeroPieces(part.zeros);
      } else {
        this.#current = part.stream;
        yield* part.stream.output();
      }
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#current?.close();
    for (const part of this.#parts) if ('stream' in part) part.stream.close();
    for (const { stream } of this.#running.values()) stream.close();
    this.#memory.close();
    this.#partTaken();
  }

  /** @returns false where nothing can be read behind it */
  async #decode(block: UnreadXzBlock, reader: ByteReader): Promise<boolean> {
    const { check, place } = block;
    const small = place !== undefined && place.total <= LARGEST_REMEMBERED ? await reader.peek(place.total) : undefined;
    if (small !== undefined && this.#isKnownToBeZeros(check, small)) {
      await reader.take(small.length);
      this.#add({ zeros: Number(place?.sizes.uncompressed) });
      return true;
    }
    const remembered = small === undefined ? undefined : { check, bytes: Buffer.from(small) };
    const stream = await this.#start(block, remembered);
    if (stream === undefined) return false;
    await reader.take(block.header.length);
    if (place !== undefined) return stream.feed(reader.some(place.total - block.header.length));
    block.sizes = (await stream.feedUntilEnd(reader))?.sizes;
    return block.sizes !== undefined;
  }

  #isKnownToBeZeros(check: number, bytes: Buffer): boolean {
    return this.#zeroBlock?.check === check && this.#zeroBlock.bytes.equals(bytes);
  }

  /** Waits for a thread, and for memory. */
  async #start(block: UnreadXzBlock, remembered: ZeroBlock | undefined): Promise<RemoteStream | undefined> {
    while (!this.#hasRoomFor(block.memory)) {
      await Promise.race([
        ...Array.from(this.#running.values(), ({ stream }) => stream.over),
        new Promise<void>((resolve) => (this.#partTaken = resolve)),
      ]);
      if (this.#isClosed) return undefined;
    }
    const { header, check, memory } = block;
    let thread = 0;
    while (this.#running.has(thread)) thread += 1;
    const stream = new RemoteStream({ kind: 'xz block', block: { header, check } }, this.#memory, thread);
    this.#running.set(thread, { stream, memory });
    void stream.over.then(() => {
      this.#running.delete(thread);
      if (remembered !== undefined && stream.wasZeros) this.#zeroBlock = remembered;
    });
    this.#add({ stream });
    return stream;
  }

  #hasRoomFor(memory: number): boolean {
    const running = [...this.#running.values()];
    const together = running.reduce((sum, each) => sum + each.memory, memory);
    if (this.#parts.length >= MOST_PARTS || running.length >= threadCount) return false;
    return running.length === 0 || together <= this.#limits.threaded;
  }

  #add(part: Part): void {
    const last = this.#parts.at(-1);
    if (last !== undefined && 'zeros' in last && 'zeros' in part) last.zeros += part.zeros;
    else this.#parts.push(part);
    this.#partAdded();
  }
}
