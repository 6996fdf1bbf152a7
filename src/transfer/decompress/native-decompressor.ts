import { abandonStream, type ByteStream } from '../bytes.ts';
import { DecodingFailed } from '../native/stream-codec.ts';
import type { NativeStreamKind } from '../native/stream-codecs.ts';
import { decompressionFailure } from './failures.ts';
import { RemoteStream } from './remote-stream.ts';

/** Decompresses a stream by a native decoder. Its input is read to the end. */
export async function* decompressNatively(kind: NativeStreamKind, input: ByteStream): ByteStream {
  const decoder = new RemoteStream(kind);
  void decoder.feed(input);
  try {
    yield* decoder.output();
  } catch (error) {
    throw error instanceof DecodingFailed ? decompressionFailure(kind, error.failure, error) : error;
  } finally {
    decoder.close();
    abandonStream(input);
  }
}
