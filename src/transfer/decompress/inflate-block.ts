import { promisify } from 'node:util';
import { constants, inflate, inflateRaw, zstdDecompress } from 'node:zlib';
import { libdeflate, type BlockInflater, type DeflateWrapper } from '../native/libdeflate.ts';
import { libzstd, type FrameDecoder } from '../native/libzstd.ts';

const inflateWithZlib = { raw: promisify(inflateRaw), zlib: promisify(inflate) };
const zstdDecompressAsync = promisify(zstdDecompress);
/** A frame may ask for memory that no block needs. */
const zstdParameters = { [constants.ZSTD_d_windowLogMax]: 22 };
const SHORTEST_CHUNK = 64;

/**
 * Decompresses a block of deflate data whose size is known, as qcow2 clusters and VMDK grains are, off the event loop.
 * A few calls at once keep all processors busy; `compressed` and `output` must be left alone until it has ended.
 *
 * @param compressed the block, with whatever comes behind it
 * @param output is filled from its start
 * @param native decompresses it; null for node:zlib alone
 * @returns how many bytes of `output` were filled: fewer than there are where the block holds less, or ends too early
 * @throws where the block is damaged, or holds more than `output` has room for
 */
export async function inflateBlock(
  wrapper: DeflateWrapper,
  compressed: Buffer,
  output: Buffer,
  native: BlockInflater | null = libdeflate,
): Promise<number> {
  const produced = await native?.inflate(wrapper, compressed, output);
  if (produced !== undefined) return produced;
  // What is not sound as a whole is zlib's to judge: it may still be good enough.
  const options = { ...inOnePiece(output), finishFlush: constants.Z_SYNC_FLUSH };
  return (await inflateWithZlib[wrapper](compressed, options)).copy(output);
}

/**
 * Decompresses one zstd frame whose size is known, as {@link inflateBlock} does.
 *
 * @param frame with nothing behind it
 * @throws where the frame is damaged or incomplete, or holds more than `output` has room for
 */
export async function decompressFrame(
  frame: Buffer,
  output: Buffer,
  native: FrameDecoder | null = libzstd,
): Promise<number> {
  const produced = await native?.decompress(frame, output);
  if (produced !== undefined) return produced;
  return (await zstdDecompressAsync(frame, { ...inOnePiece(output), params: zstdParameters })).copy(output);
}

function inOnePiece({ length }: Buffer): { maxOutputLength: number; chunkSize: number } {
  return { maxOutputLength: length, chunkSize: Math.max(SHORTEST_CHUNK, length) };
}
