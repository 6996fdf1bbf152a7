import type { ByteStream, PieceStream } from '../../base/bytes.ts';
import { zeroPieces } from '../../base/zeros.ts';
import type { RemoteStream } from './remote-stream.ts';

/**
 * In bytes. Shorter runs of zeros are not left out, and parts so short, or of unknown length, come when all before them have been taken: whoever
 * looks at the last bytes of what is decoded finds as many as these together, in any order.
 */
export const SHORT_PART = 4096;

/** Begins at `start` in what is decoded. */
type Part = { start: number } & ({ stream: RemoteStream } | { zeros: number });

/** What is decoded of a file, part by part, while others are added. */
export class DecodedParts {
  readonly #parts: Part[] = [];
  /** That is taken in its turn. */
  #current: Part | undefined;
  /** Of all parts together, in bytes. */
  #length = 0;
  #end: { failure: unknown } | undefined;
  #added = (): void => {};
  #taken = (): void => {};

  /** How many have not been taken as a whole. */
  get count(): number {
    return this.#parts.length + (this.#current === undefined ? 0 : 1);
  }

  /** @param length of what it is decoded to; 0 where it is not known, and {@link lengthen} tells it */
  addStream(stream: RemoteStream, length: number): void {
    this.#parts.push({ start: this.#length, stream });
    this.lengthen(length);
    this.#added();
  }

  addZeros(zeros: number): void {
    const last = this.#parts.at(-1);
    if (last !== undefined && 'zeros' in last) last.zeros += zeros;
    else this.#parts.push({ start: this.#length, zeros });
    this.lengthen(zeros);
    this.#added();
  }

  lengthen(length: number): void {
    this.#length += length;
  }

  /** @param failure what is thrown once all has been taken; undefined where nothing failed */
  end(failure: unknown): void {
    this.#end = { failure };
    this.#added();
  }

  /** Resolves when another part has been taken. */
  partTaken(): Promise<void> {
    return new Promise((resolve) => (this.#taken = resolve));
  }

  /** @throws DecodingFailed, and what the input fails with */
  async *inOrder(): ByteStream {
    for (;;) {
      this.#current = this.#parts.shift();
      this.#taken();
      if (this.#current === undefined) {
        if (this.#hasEnded()) return;
        await new Promise<void>((resolve) => (this.#added = resolve));
      } else if ('zeros' in this.#current) {
        yield* zeroPieces(this.#current.zeros);
      } else {
        yield* this.#current.stream.output();
      }
    }
  }

  /** What has not been taken, of any part. Throws as {@link inOrder} does, what the first part that has not ended fails with. */
  async *inAnyOrder(): PieceStream {
    if (this.#current !== undefined && 'stream' in this.#current) this.#parts.unshift(this.#current);
    this.#current = undefined;
    for (;;) {
      const found = this.#takeAny();
      if (found !== undefined) {
        const { offset, data, stream } = found;
        yield { offset, data, complete: this.#complete() };
        stream?.giveBack(data);
      } else if (this.#parts.length === 0 && this.#hasEnded()) {
        yield { offset: this.#length, data: Buffer.alloc(0), complete: this.#length };
        return;
      } else {
        await Promise.race([
          new Promise<void>((resolve) => (this.#added = resolve)),
          ...this.#streams().map((stream) => stream.outputArrives()),
        ]);
      }
    }
  }

  close(): void {
    for (const stream of this.#streams()) stream.close();
    this.#taken();
  }

  #streams(): RemoteStream[] {
    const parts = this.#current === undefined ? this.#parts : [this.#current, ...this.#parts];
    return parts.flatMap((part) => ('stream' in part ? [part.stream] : []));
  }

  /** Whether there is nothing more, in good order. */
  #hasEnded(): boolean {
    if (this.#end?.failure !== undefined) throw this.#end.failure as Error;
    return this.#end !== undefined;
  }

  /** Data of the first part of which some has arrived. */
  #takeAny(): { offset: number; data: Buffer; stream?: RemoteStream } | undefined {
    for (let place = 0; ;) {
      const part = this.#parts[place];
      if (part === undefined) return undefined;
      const isOver = 'zeros' in part;
      const stream = isOver ? undefined : part.stream;
      const offset = part.start + (stream?.taken ?? 0);
      // What comes before may have failed as well.
      const output = isOver ? part : place > 0 && stream?.hasFailed ? undefined : stream?.take();
      if (isOver || (output !== undefined && 'sizes' in output)) this.#remove(place);
      else if (output === undefined) place += 1;
      if (output === undefined || 'sizes' in output) continue;
      if ('data' in output) return { offset, data: output.data, ...(stream && { stream }) };
      if (output.zeros < SHORT_PART) return { offset, data: Buffer.alloc(output.zeros) };
    }
  }

  #remove(place: number): void {
    this.#parts.splice(place, 1);
    this.#taken();
  }

  /** Before which offset all has been taken. */
  #complete(): number {
    const [first] = this.#parts;
    if (first === undefined) return this.#length;
    return 'stream' in first ? first.start + first.stream.taken : first.start;
  }
}
