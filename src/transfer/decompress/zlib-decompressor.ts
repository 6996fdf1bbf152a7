import type { Transform } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import type { ByteStream } from '../bytes.ts';
import { TransferError, systemCode } from '../errors.ts';

const CHUNK = 1024 * 1024;

/** Decompresses gzip or zstd, several members one after the other included. */
export async function* decompressWithZlib(kind: 'gzip' | 'zstd', input: ByteStream): ByteStream {
  const decoder = kind === 'gzip' ? createGunzip({ chunkSize: CHUNK }) : createZstdDecompress({ chunkSize: CHUNK });
  let inputFailure: unknown;
  feed(input, decoder).catch((error: unknown) => {
    inputFailure ??= error;
    decoder.destroy();
  });
  try {
    for await (const chunk of decoder) yield chunk as Buffer;
  } catch (error) {
    throw inputFailure ?? compressionFailure(kind, error);
  } finally {
    decoder.destroy();
    void input.return();
  }
}

async function feed(input: ByteStream, decoder: Transform): Promise<void> {
  for await (const chunk of input) {
    // Its memory is ours only until the next chunk is asked for, so each is used up first.
    const { promise, resolve } = Promise.withResolvers<void>();
    decoder.write(chunk, () => {
      resolve();
    });
    await promise;
    if (decoder.destroyed) return;
  }
  decoder.end();
}

function compressionFailure(kind: string, error: unknown): unknown {
  const code = systemCode(error);
  if (code === 'Z_BUF_ERROR') {
    return new TransferError('TruncatedImage', `the ${kind} data ends too early: the file is incomplete`, {
      cause: error,
    });
  }
  if (code?.startsWith('Z_') || code?.startsWith('ZSTD_')) {
    return new TransferError('InvalidImage', `the ${kind} data is damaged (${code})`, { cause: error });
  }
  return error;
}
