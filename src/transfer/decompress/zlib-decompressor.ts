import { createGunzip, createZstdDecompress } from 'node:zlib';
import { abandonStream, type ByteStream } from '../bytes.ts';
import { TransferError, systemCode } from '../errors.ts';
import { Feeder } from '../feeder.ts';

const CHUNK = 1024 * 1024;

/** Decompresses gzip or zstd, several members one after the other included. Its input is read to the end. */
export async function* decompressWithZlib(kind: 'gzip' | 'zstd', input: ByteStream): ByteStream {
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
    throw inputFailure ?? compressionFailure(kind, error);
  } finally {
    feeder.abandon();
    decoder.destroy();
    abandonStream(input);
  }
  if (inputFailure !== undefined) throw inputFailure as Error;
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
