import { constants, inflateRawSync, inflateSync, zstdDecompressSync } from 'node:zlib';
import { type BlockInflater, type DeflateWrapper, libdeflate } from '../native/libdeflate.ts';
import { type FrameDecoder, libzstd } from '../native/libzstd.ts';
import { zstdFrameLength } from './zstd-frame.ts';

/** How the blocks of an image are compressed: raw deflate (RFC 1951), zlib (RFC 1950) or zstd (RFC 8878). */
export type BlockCodec = DeflateWrapper | 'zstd';

const inflateByZlib = { raw: inflateRawSync, zlib: inflateSync };
/** Limits the memory that a frame may request; no block needs more. */
const zstdParameters = { [constants.ZSTD_d_windowLogMax]: 22 };
const SHORTEST_CHUNK = 64;

/**
 * Decompresses a block of deflate data of known size, such as a qcow2 cluster or a VMDK grain.
 *
 * @param compressed the block, with anything after it
 * @param output is filled from its start
 * @param native decompresses the block; null to use only node:zlib
 * @returns how many bytes of `output` were filled: fewer than its length where the block holds less, or ends too early
 * @throws where the block is damaged, or holds more than `output` has room for
 */
export function inflateBlock(
  wrapper: DeflateWrapper,
  compressed: Buffer,
  output: Buffer,
  native: BlockInflater | null = libdeflate,
): number {
  const produced = native?.inflate(wrapper, compressed, output);
  if (produced !== undefined) return produced;
  // A block that is not valid as a whole is left to zlib, because it may still be good enough.
  const options = { ...inOnePiece(output), finishFlush: constants.Z_SYNC_FLUSH };
  return inflateByZlib[wrapper](compressed, options).copy(output);
}

/**
 * Decompresses the zstd frame at the start of `compressed`, as {@link inflateBlock} does.
 *
 * @throws where the frame is damaged or incomplete, or holds more than `output` has room for
 */
export function decompressFrame(compressed: Buffer, output: Buffer, native: FrameDecoder | null = libzstd): number {
  const frame = compressed.subarray(0, zstdFrameLength(compressed));
  const produced = native?.decompress(frame, output);
  if (produced !== undefined) return produced;
  return zstdDecompressSync(frame, { ...inOnePiece(output), params: zstdParameters }).copy(output);
}

const decoders: Record<BlockCodec, (compressed: Buffer, output: Buffer) => number> = {
  raw: (compressed, output) => inflateBlock('raw', compressed, output),
  zlib: (compressed, output) => inflateBlock('zlib', compressed, output),
  zstd: (compressed, output) => decompressFrame(compressed, output),
};

/** Decompresses a block with any codec; returns -1 where that throws. */
export function decodeBlock(codec: BlockCodec, compressed: Buffer, output: Buffer): number {
  try {
    return decoders[codec](compressed, output);
  } catch {
    return -1;
  }
}

function inOnePiece({ length }: Buffer): { maxOutputLength: number; chunkSize: number } {
  return { maxOutputLength: length, chunkSize: Math.max(SHORTEST_CHUNK, length) };
}
