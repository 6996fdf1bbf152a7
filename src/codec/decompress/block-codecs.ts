import { promisify } from 'node:util';
import { constants, inflate, inflateRaw, type ZlibOptions, zstdDecompress, type ZstdOptions } from 'node:zlib';
import type { BlockDecoder } from '../native/block-decoder.ts';
import { type DeflateWrapper, libdeflate } from '../native/libdeflate.ts';
import { libzstd } from '../native/libzstd.ts';
import { zstdFrameLength } from './zstd-frame.ts';

/** How the blocks of an image are compressed: raw deflate (RFC 1951), zlib (RFC 1950) or zstd (RFC 8878). */
export type BlockCodec = DeflateWrapper | 'zstd';

/** A codec of blocks of known size, such as qcow2 clusters or VMDK grains. */
interface BlockCodecDriver {
  /** Creates a native decoder; null where there is no library. */
  readonly newDecoder: (() => BlockDecoder) | null;
  /** Returns the block at the start of `bytes`, without what follows where the decoder would not find the end. */
  readonly blockIn: (bytes: Buffer) => Buffer;
  /**
   * Decompresses with node:zlib.
   *
   * @throws where the block is damaged, or holds more than `room`, in bytes
   */
  readonly decompress: (block: Buffer, room: number) => Promise<Buffer>;
}

const inflateOnPool = promisify<Buffer, ZlibOptions, Buffer>(inflate);
const inflateRawOnPool = promisify<Buffer, ZlibOptions, Buffer>(inflateRaw);
const zstdDecompressOnPool = promisify<Buffer, ZstdOptions, Buffer>(zstdDecompress);
/** Limits the memory that a frame may request; no block needs more. */
const zstdParameters = { [constants.ZSTD_d_windowLogMax]: 22 };
const SHORTEST_CHUNK = 64;

const codecs: Record<BlockCodec, BlockCodecDriver> = {
  // A block that is not valid as a whole may still be good enough for zlib.
  raw: {
    newDecoder: inflater('raw'),
    blockIn: (bytes) => bytes,
    decompress: (block, room) => inflateRawOnPool(block, { ...inOnePiece(room), finishFlush: constants.Z_SYNC_FLUSH }),
  },
  zlib: {
    newDecoder: inflater('zlib'),
    blockIn: (bytes) => bytes,
    decompress: (block, room) => inflateOnPool(block, { ...inOnePiece(room), finishFlush: constants.Z_SYNC_FLUSH }),
  },
  zstd: {
    newDecoder: libzstd,
    blockIn: (bytes) => bytes.subarray(0, zstdFrameLength(bytes)),
    decompress: (block, room) => zstdDecompressOnPool(block, { ...inOnePiece(room), params: zstdParameters }),
  },
};

/**
 * Longest content of a block that is decompressed on the calling thread, in bytes: to switch to another thread and back
 * takes longer.
 */
const SHORT_BLOCK = 8 * 1024;

/** Native decoders that are not in use. */
const spares: Record<BlockCodec, BlockDecoder[]> = { raw: [], zlib: [], zstd: [] };

/**
 * Decompresses a block of known size, on a thread of Node's pool where it is not short.
 *
 * @param bytes the block, with anything after it; as the output, it must not change meanwhile
 * @param output is filled from its start
 * @param natively false to use only node:zlib
 * @returns how many bytes of `output` were filled: fewer than its length where the block holds less, or ends too early
 * @throws where the block is damaged, or holds more than `output` has room for
 */
export async function decompressBlock(
  codec: BlockCodec,
  bytes: Buffer,
  output: Buffer,
  natively = true,
): Promise<number> {
  const { newDecoder, blockIn, decompress } = codecs[codec];
  const block = blockIn(bytes);
  const decoder = natively ? (spares[codec].pop() ?? newDecoder?.()) : undefined;
  if (decoder !== undefined) {
    const isShort = output.length <= SHORT_BLOCK;
    const produced = isShort ? decoder.decode(block, output) : await decoder.decodeAside(block, output);
    spares[codec].push(decoder);
    if (produced !== undefined) return produced;
  }
  return (await decompress(block, output.length)).copy(output);
}

function inflater(wrapper: DeflateWrapper): (() => BlockDecoder) | null {
  const create = libdeflate;
  return create && (() => create(wrapper));
}

function inOnePiece(room: number): { maxOutputLength: number; chunkSize: number } {
  return { maxOutputLength: room, chunkSize: Math.max(SHORTEST_CHUNK, room) };
}
