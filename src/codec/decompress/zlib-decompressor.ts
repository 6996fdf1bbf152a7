import { createGunzip, createZstdDecompress } from 'node:zlib';
import { ByteReader, abandonStream, type ByteStream } from '../../base/bytes.ts';
import { systemCode } from '../../base/errors.ts';
import { Feeder } from '../../base/feeder.ts';
import { DecodingFailed } from '../native/stream-codec.ts';
import { decompressionFailure } from './failures.ts';
import { nextZstdFrame } from './zstd-frame.ts';

const CHUNK = 1024 * 1024;

/** Decompresses gzip or zstd, several members one after the other included. Its input is read to the end. */
export async function* decompressWithZlib(kind: 'gzip' | 'zstd', input: ByteStream): ByteStream {
  if (kind === 'gzip') return yield* decompressMembers('gzip', input);
  // Node's decoder ends where a frame does, whatever follows it.
  const reader = new ByteReader(input);
  try {
    while ((await reader.peek(1)).length > 0) yield* decompressMembers('zstd', nextZstdFrame(reader));
  } finally {
    reader.close().catch(() => {});
  }
}

async function* decompressMembers(kind: 'gzip' | 'zstd', input: ByteStream): ByteStream {
  const decoder = kind === 'gzip' ? createGunzip({ chunkSize: CHUNK }) : createZstdDecompress({ chunkSize: CHUNK });
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
    throw compressionFailure(kind, inputFailure ?? error);
  } finally {
    feeder.abandon();
    decoder.destroy();
    abandonStream(input);
  }
  if (inputFailure !== undefined) throw compressionFailure(kind, inputFailure) as Error;
}

function compressionFailure(kind: 'gzip' | 'zstd', error: unknown): unknown {
  if (error instanceof DecodingFailed) return decompressionFailure(kind, error.failure, error);
  const code = systemCode(error);
  if (code === 'Z_BUF_ERROR') return decompressionFailure(kind, 'truncated', error);
  if (code?.startsWith('Z_') || code?.startsWith('ZSTD_')) return decompressionFailure(kind, 'damaged', error);
  return error;
}
