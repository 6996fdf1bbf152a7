import type { ByteStream, PieceStream } from '../../base/bytes.ts';
import { zeroPieces } from '../../base/zeros.ts';
import type { RemoteStream } from './remote-stream.ts';

/**
 * Shortest run of zeros that is left out, in bytes. Parts that are this short, or of unknown length, are returned only
 * after everything before them: whoever needs the last bytes of the output finds at least as many as this together, in
 * any order.
 */
export const SHORT_PART = 4096;

/** A part that begins at `start` in the decoded output. */
type Part = { start: number } & ({ stream: RemoteStream } | { zeros: number });

/** The decoded output of a file, part by part, while further parts are added. */
export class DecodedParts {
  readonly #parts: Part[] = [];
  /** The part whose turn it is. */
  #current: Part | undefined;
  /** Length of all parts together, in bytes. */
  #length = 0;
  #end: { failure: unknown } | undefined;
  #added = (): void => {};
  #taken = (): void => {};

  /** Number of parts that have not been taken completely. */
  get count(): number {
    return this.#parts.length + (this.#current === undefined ? 0 : 1);
  }

  /** @param length of the decoded output; 0 where it is not known, and is set by {@link lengthen} later */
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

  /** @param failure thrown once everything has been taken; undefined where nothing failed */
  end(failure: unknown): void {
    this.#end = { failure };
    this.#added();
  }

  /** Resolves when another part has been taken. */
  partTaken(): Promise<void> {
    return new Promise((resolve) => (this.#taken = resolve));
  }

  /** @throws DecodingFailed, and the failure of the input */
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

  /**
   * Yields what has not been taken, from any part. Throws as {@link inOrder} does, with the failure of the first part
   * that has not ended.
   */
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

  /** Whether everything has been taken, without a failure. */
  #hasEnded(): boolean {
    if (this.#end?.failure !== undefined) throw this.#end.failure as Error;
    return this.#end !== undefined;
  }

  /** Takes data from the first part of which some has arrived. */
  #takeAny(): { offset: number; data: Buffer; stream?: RemoteStream } | undefined {
    for (let place = 0; ;) {
      const part = this.#parts[place];
      if (part === undefined) return undefined;
      const isOver = 'zeros' in part;
      const stream = isOver ? undefined : part.stream;
      const offset = part.start + (stream?.taken ?? 0);
      // An earlier part may have failed as well, and its failure comes first.
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

  /** Returns the offset before which everything has been taken. */
  #complete(): number {
    const [first] = this.#parts;
    if (first === undefined) return this.#length;
    return 'stream' in first ? first.start + first.stream.taken : first.start;
  }
}
