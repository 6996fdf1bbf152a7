import type { ByteStream } from '../../base/bytes.ts';
import { TransferError } from '../../base/errors.ts';
import { Progress } from '../../base/progress.ts';
import type { OpenedSource, Source } from '../../base/source.ts';
import { FileSource } from '../../source/kinds/file-source.ts';
import { openStandardInput } from '../../source/kinds/standard-input.ts';
import { file } from '../sources/file.ts';

/** The image that is uploaded: a file, which can be read from any offset, or a stream, which can be read once. */
export class LocalImage {
  readonly location: string;
  /** Bytes; undefined for a stream. */
  readonly size: number | undefined;
  readonly #source: Source;
  readonly #opened: OpenedSource;
  #isStreamUsed = false;

  private constructor(source: Source, opened: OpenedSource) {
    this.location = source.location;
    this.size = opened.size;
    this.#source = source;
    this.#opened = opened;
  }

  /** @throws TransferError where there is no such file, or the user named something else */
  static async open(given: string): Promise<LocalImage> {
    const source = localSource(given);
    try {
      return new LocalImage(source, await source.open());
    } catch (error) {
      await source.close();
      throw error;
    }
  }

  /** Whether it can be read again, and from any offset. */
  get isRepeatable(): boolean {
    return this.#opened.openAt !== undefined;
  }

  /** Returns a version that differs once the file has been written; undefined for a stream. */
  async version(): Promise<string | undefined> {
    return this.isRepeatable ? (await this.#source.open()).version : undefined;
  }

  /**
   * Reads from an offset to the end, or up to another one. The bytes are the caller's.
   *
   * @throws TransferError where a stream was read before, or a file became shorter
   */
  async *read(from: number, to = this.size): ByteStream {
    const expected = to === undefined ? undefined : to - from;
    let count = 0;
    for await (const chunk of this.#open(from)) {
      const wanted = expected === undefined ? chunk : chunk.subarray(0, expected - count);
      count += wanted.length;
      // The source fills the same memory again, while these bytes may still be waiting to be sent.
      if (wanted.length > 0) yield Buffer.from(wanted);
      if (count === expected) return;
    }
    if (expected !== undefined && count < expected) {
      throw new TransferError('TruncatedImage', `${this.location} became shorter while it was uploaded`);
    }
  }

  async close(): Promise<void> {
    await this.#source.close();
  }

  #open(from: number): ByteStream {
    if (this.#opened.openAt !== undefined) return this.#opened.openAt(from);
    if (from > 0 || this.#isStreamUsed) {
      throw new TransferError(
        'SourceNotReadable',
        'standard input can be read only once: run the same command again, or upload a file',
      );
    }
    this.#isStreamUsed = true;
    return this.#opened.bytes;
  }
}

function localSource(given: string): Source {
  // What is sent is counted, not what is read.
  if (given === '-') return openStandardInput(new Progress());
  const path = file.matches(given) ? file.localPath?.(given) : undefined;
  if (path !== undefined) return new FileSource(path, new Progress());
  throw new TransferError(
    'InvalidRequest',
    `${given} is no file of this machine: a DataVolume imports from there by itself, with its source in spec.source`,
  );
}
