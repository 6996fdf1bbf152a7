import { abandonStream, type ByteStream, type PieceStream } from '../../base/bytes.ts';
import { igzip } from '../native/igzip.ts';
import { liblzma, type Liblzma } from '../native/liblzma.ts';
import { zstdStream } from '../native/libzstd.ts';
import { DecodingFailed } from '../native/stream-codec.ts';
import type { Compression } from './compression.ts';
import { DecoderMemory } from './decoder-memory.ts';
import { decompressionFailure } from './failures.ts';
import { RemoteStream } from './remote-stream.ts';
import { XzDecoder } from './xz-decoder.ts';

/** What a stream is decompressed to. */
export interface DecompressedStream {
  bytes: ByteStream;
  /** Goes on behind what was read of `bytes`, which then is to be closed only; undefined where there is one order only. */
  pieces?: (() => PieceStream) | undefined;
}

/** Decodes an input that is fed to it meanwhile. */
interface FedDecoder {
  feed(input: ByteStream): Promise<unknown>;
  output(): ByteStream;
  /** What has not been taken of the output. */
  pieces?: () => PieceStream;
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
export function decompressNatively(kind: Compression, input: ByteStream): DecompressedStream | undefined {
  const create = nativeDecoders[kind];
  return create === null ? undefined : decompressBy(create, kind, input);
}

function decompressBy(create: () => FedDecoder, kind: Compression, input: ByteStream): DecompressedStream {
  let decoder: FedDecoder | undefined;
  const bytes = async function* (): ByteStream {
    decoder = create();
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
    error instanceof DecodingFailed ? decompressionFailure(kind, error.failure, error) : error;
  return { bytes: bytes(), pieces: kind === 'xz' ? pieces : undefined };
}
