import { abandonStream, type ByteStream, type PieceStream } from '../../base/bytes.ts';
import { DecodingFailed } from '../native/stream-codec.ts';
import type { FedDecoder, NativeDecoding } from './driver.ts';
import { decompressionFailure } from './failures.ts';

/** The decompressed form of a stream. */
export interface DecompressedStream {
  bytes: ByteStream;
  /**
   * Continues after what was read of `bytes`, which then only has to be closed; undefined where only the original order
   * is available.
   */
  pieces?: (() => PieceStream) | undefined;
}

/**
 * Decompresses a stream with a native decoder. The input is read to its end.
 *
 * @param name of the compression, for messages
 */
export function decompressNatively(name: string, decoding: NativeDecoding, input: ByteStream): DecompressedStream {
  let decoder: FedDecoder | undefined;
  const bytes = async function* (): ByteStream {
    decoder = decoding.create();
    void decoder.feed(input);
    try {
      yield* decoder.output();
    } catch (error) {
      throw explained(error);
    } finally {
      decoder.close();
      abandonStream(input);
    }
  };
  const pieces = async function* (): PieceStream {
    try {
      yield* decoder?.pieces?.() ?? [];
    } catch (error) {
      throw explained(error);
    }
  };
  const explained = (error: unknown): unknown =>
    error instanceof DecodingFailed ? decompressionFailure(name, error.failure, error) : error;
  return { bytes: bytes(), pieces: decoding.hasPieces ? pieces : undefined };
}
