import type { ByteStream, PieceStream } from '../../base/bytes.ts';

/** A decoder whose input is fed while its output is read. */
export interface FedDecoder {
  feed(input: ByteStream): Promise<unknown>;
  output(): ByteStream;
  /** Yields the output that has not been taken, in any order. */
  pieces?: () => PieceStream;
  close(): void;
}

/** How a stream is decoded with a native library, on other threads. */
export interface NativeDecoding {
  readonly create: () => FedDecoder;
  /** Whether the decoder can deliver pieces of its output in any order. */
  readonly hasPieces: boolean;
}

/**
 * A compression of whole files. Every difference between compressions is declared here; shared code asks the driver,
 * and never branches on the name.
 */
export interface CompressionDriver<Name extends string = string> {
  /** The name in messages. */
  readonly name: Name;
  /**
   * Whether the first bytes of an object show this compression.
   *
   * @param head includes leading skippable frames and the next magic number, up to the longest that is read
   */
  readonly beginsIn: (head: Buffer) => boolean;
  /** Undefined where there is no such library, or it is not installed. */
  readonly native: NativeDecoding | undefined;
  /**
   * Decompresses without a native library. The input is read to its end.
   *
   * @throws TransferError TruncatedImage, InvalidImage, UnsupportedImage; ProgramMissing where a program is needed
   */
  readonly decompress: (input: ByteStream) => ByteStream;
  /** Names of the compression as an HTTP content coding (RFC 9110 section 8.4.1). */
  readonly contentCodings: readonly string[];
}
