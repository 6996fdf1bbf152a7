import { abandonStream, type ByteStream } from '../bytes.ts';
import { igzip } from '../native/igzip.ts';
import { liblzma, type Liblzma } from '../native/liblzma.ts';
import { zstdStream } from '../native/libzstd.ts';
import { DecodingFailed } from '../native/stream-codec.ts';
import type { Compression } from './compression.ts';
import { DecoderMemory } from './decoder-memory.ts';
import { decompressionFailure } from './failures.ts';
import { RemoteStream } from './remote-stream.ts';
import { XzDecoder } from './xz-decoder.ts';

/** Decodes an input that is fed to it meanwhile. */
interface FedDecoder {
  feed(input: ByteStream): Promise<unknown>;
  output(): ByteStream;
  close(): void;
}

/** Null where its library is missing. */
const nativeDecoders = {
  gzip: igzip && (() => decodeRemotely('gzip')),
  zstd: zstdStream && (() => decodeRemotely('zstd')),
  xz: liblzma && decodesXz(liblzma),
  bzip2: null,
} satisfies Record<Compression, (() => FedDecoder) | null>;

function decodesXz(lzma: Liblzma): () => FedDecoder {
  return () => new XzDecoder(lzma);
}

function decodeRemotely(kind: 'gzip' | 'zstd'): FedDecoder {
  return new RemoteStream({ kind }, new DecoderMemory(2, 4, 1024 * 1024));
}

/** Decompresses a stream by a native decoder, or undefined where there is none. Its input is read to the end. */
export function decompressNatively(kind: Compression, input: ByteStream): ByteStream | undefined {
  const create = nativeDecoders[kind];
  return create === null ? undefined : decompressBy(create, kind, input);
}

async function* decompressBy(create: () => FedDecoder, kind: Compression, input: ByteStream): ByteStream {
  const decoder = create();
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
