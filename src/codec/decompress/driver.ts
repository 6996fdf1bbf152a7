import type { ByteStream, PieceStream } from '../../base/bytes.ts';

/** Decodes an input that is fed to it meanwhile. */
export interface FedDecoder {
  feed(input: ByteStream): Promise<unknown>;
  output(): ByteStream;
  /** What has not been taken of the output. */
  pieces?: () => PieceStream;
  close(): void;
}

/** How a stream is decoded by a native library, on other threads. */
export interface NativeDecoding {
  readonly create: () => FedDecoder;
  /** Whether the decoder has pieces of its output, which come in any order. */
  readonly hasPieces: boolean;
}

/** A compression of whole files. Whatever is done in another way for one than for another is declared here. */
export interface CompressionDriver<Name extends string = string> {
  /** As people are told it. */
  readonly name: Name;
  /**
   * Tells by the first bytes of an object whether it is compressed so.
   *
   * @param head where it begins with skippable frames, as much as they and the next magic number may take
   */
  readonly beginsIn: (head: Buffer) => boolean;
  /** Undefined where there is no such library, or none for this compression. */
  readonly native: NativeDecoding | undefined;
  /**
   * Decompresses without a native library. The input is read to its end.
   *
   * @throws TransferError TruncatedImage, InvalidImage, UnsupportedImage; ProgramMissing where a program does it
   */
  readonly decompress: (input: ByteStream) => ByteStream;
  /** HTTP's names of it as a content coding (RFC 9110 section 8.4.1). */
  readonly contentCodings: readonly string[];
}
