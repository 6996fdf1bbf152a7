import type { Transform } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { abandonStream, ByteReader, type ByteStream } from '../../base/bytes.ts';
import { systemCode } from '../../base/errors.ts';
import { Feeder } from '../../base/feeder.ts';
import { DecodingFailed } from '../native/stream-codec.ts';
import { decompressionFailure } from './failures.ts';
import { nextZstdFrame } from './zstd-frame.ts';

const CHUNK = 1024 * 1024;

/** Decompresses gzip, including several concatenated members. The input is read to its end. */
export async function* decompressGzip(input: ByteStream): ByteStream {
  yield* decompressBy(createGunzip({ chunkSize: CHUNK }), 'gzip', input);
}

/** Decompresses zstd, including several concatenated frames. The input is read to its end. */
export async function* decompressZstd(input: ByteStream): ByteStream {
  // Node's decoder stops at the end of a frame, whatever follows it.
  const reader = new ByteReader(input);
  try {
    while ((await reader.peek(1)).length > 0) {
      yield* decompressBy(createZstdDecompress({ chunkSize: CHUNK }), 'zstd', nextZstdFrame(reader));
    }
  } finally {
    reader.close().catch(() => {});
  }
}

async function* decompressBy(decoder: Transform, name: string, input: ByteStream): ByteStream {
  const feeder = new Feeder(decoder);
  let inputFailure: unknown;
  const feeding = feeder.feed(input).catch((error: unknown) => {
    inputFailure = error;
    decoder.destroy();
  });
  try {
    for await (const chunk of decoder) yield chunk as Buffer;
    await feeding;
  } catch (error) {
    throw compressionFailure(name, inputFailure ?? error);
  } finally {
    feeder.abandon();
    decoder.destroy();
    abandonStream(input);
  }
  if (inputFailure !== undefined) throw compressionFailure(name, inputFailure) as Error;
}

function compressionFailure(name: string, error: unknown): unknown {
  if (error instanceof DecodingFailed) return decompressionFailure(name, error.failure, error);
  const code = systemCode(error);
  if (code === 'Z_BUF_ERROR') return decompressionFailure(name, 'truncated', error);
  if (code?.startsWith('Z_') || code?.startsWith('ZSTD_')) return decompressionFailure(name, 'damaged', error);
  return error;
}
