import { DecodingFailed } from './stream-codec.ts';

/** Headers of zstd frames and blocks, RFC 8878 section 3.1. */

const MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
const SKIPPABLE_MASK = ~0xf;
const MAGIC_LENGTH = 4;
/** Bytes of the magic number, and the byte that determines the length of the header. */
const FRAME_START = 5;
const SKIPPABLE_HEADER = 8;
export const BLOCK_HEADER_LENGTH = 3;
export const CHECKSUM_LENGTH = 4;
export const LONGEST_HEADER = 18;
/** Largest content of a block, in bytes. */
export const LARGEST_BLOCK = 128 * 1024;
/** Largest window in bytes: the default limit of libzstd, and the most that `zstd` uses without --long. */
export const LARGEST_WINDOW = 128 * 1024 * 1024;
const RUN = 1;

const SINGLE_SEGMENT = 0x20;
const RESERVED = 0x08;
const CHECKSUM = 0x04;
const dictionaryIdLengths = [0, 1, 2, 4];
const contentSizeLengths = [0, 2, 4, 8];
/** Offset that is added to a content size stored in two bytes. */
const SHORT_SIZE_BASE = 256;
/** A window size is stored as an exponent above this one, and in the lowest three bits the eighths that are added. */
const SMALLEST_WINDOW_LOG = 10;

export interface FrameHeader {
  /** How far back a block may refer, in bytes. */
  windowSize: number;
  /** Bytes of the content, where the frame says so. */
  contentSize: number | undefined;
  hasChecksum: boolean;
  needsDictionary: boolean;
  /** Whether the frame uses a reserved bit. */
  isReserved: boolean;
}

export interface BlockHeader {
  /** Number of bytes that follow the header. */
  length: number;
  /** Whether the block is the last one of its frame. */
  isLast: boolean;
  /** How often the following byte is repeated, where the block is only that. */
  run: number | undefined;
}

/**
 * Returns the length of the header at the start of a frame or skippable frame; a lower bound while too few of its bytes
 * are known.
 *
 * @returns undefined where no frame begins like this
 */
export function frameHeaderLength(start: Buffer): number | undefined {
  const skippable = isSkippable(start);
  if (!skippable && !mayBegin(start, MAGIC)) return undefined;
  if (start.length < FRAME_START) return FRAME_START;
  if (skippable) return SKIPPABLE_HEADER;
  const { windowSize, dictionaryId, contentSize } = fieldLengths(start.readUInt8(FRAME_START - 1));
  return FRAME_START + windowSize + dictionaryId + contentSize;
}

/** Returns how many bytes follow the header of a skippable frame; undefined for other frames. */
export function skippableLength(header: Buffer): number | undefined {
  return isSkippable(header) ? header.readUInt32LE(SKIPPABLE_HEADER - 4) : undefined;
}

export function readFrameHeader(header: Buffer): FrameHeader {
  const descriptor = header.readUInt8(FRAME_START - 1);
  const lengths = fieldLengths(descriptor);
  let at = FRAME_START;
  const next = (length: number): Buffer => header.subarray(at, (at += length));
  const windowSize = readWindowSize(next(lengths.windowSize));
  const dictionaryId = next(lengths.dictionaryId);
  const contentSize = readContentSize(next(lengths.contentSize));
  return {
    windowSize: windowSize ?? contentSize ?? 0,
    contentSize,
    hasChecksum: (descriptor & CHECKSUM) !== 0,
    needsDictionary: dictionaryId.some((byte) => byte !== 0),
    isReserved: (descriptor & RESERVED) !== 0,
  };
}

/**
 * Refuses valid frames that cannot be decoded.
 *
 * @throws DecodingFailed
 */
export function refuseUndecodable({ windowSize, needsDictionary, isReserved }: FrameHeader): void {
  if (isReserved) throw new DecodingFailed('damaged');
  if (needsDictionary) throw new DecodingFailed('dictionary');
  if (windowSize > LARGEST_WINDOW) throw new DecodingFailed('window', windowSize);
}

/** Makes a frame header that says nothing but the size of the window. */
export function plainFrameHeader(windowSize: number): Buffer {
  const exponent = Math.max(0, Math.floor(Math.log2(windowSize)) - SMALLEST_WINDOW_LOG);
  const base = 2 ** (exponent + SMALLEST_WINDOW_LOG);
  const eighths = Math.max(0, Math.ceil((windowSize / base - 1) * 8));
  const header = Buffer.alloc(FRAME_START + 1);
  header.writeUInt32LE(MAGIC);
  header.writeUInt8(Math.min(0xff, exponent * 8 + eighths), FRAME_START);
  return header;
}

/**
 * Returns the length of the header of a block, including the byte of a run; a lower bound while too few bytes are
 * known.
 */
export function blockStartLength(start: Buffer): number {
  const isRun = start.length >= BLOCK_HEADER_LENGTH && readBlockHeader(start).run !== undefined;
  return BLOCK_HEADER_LENGTH + (isRun ? 1 : 0);
}

export function readBlockHeader(bytes: Buffer, at = 0): BlockHeader {
  const header = bytes.readUIntLE(at, BLOCK_HEADER_LENGTH);
  const size = header >>> 3;
  const isRun = ((header >>> 1) & 3) === RUN;
  return { length: isRun ? 1 : size, isLast: (header & 1) !== 0, run: isRun ? size : undefined };
}

function isSkippable(start: Buffer): boolean {
  return mayBegin(start, SKIPPABLE_MAGIC, SKIPPABLE_MASK);
}

/** Whether the known bytes agree with a magic number, in the bits of the mask. */
function mayBegin(start: Buffer, magic: number, mask = ~0): boolean {
  const length = Math.min(MAGIC_LENGTH, start.length);
  const known = 2 ** (8 * length) - 1;
  return length === 0 || ((start.readUIntLE(0, length) ^ magic) & mask & known) === 0;
}

function fieldLengths(descriptor: number): { windowSize: number; dictionaryId: number; contentSize: number } {
  const isSingleSegment = (descriptor & SINGLE_SEGMENT) !== 0;
  const contentSize = contentSizeLengths[descriptor >>> 6] ?? 0;
  return {
    windowSize: isSingleSegment ? 0 : 1,
    dictionaryId: dictionaryIdLengths[descriptor & 3] ?? 0,
    contentSize: isSingleSegment && contentSize === 0 ? 1 : contentSize,
  };
}

function readWindowSize(field: Buffer): number | undefined {
  const [descriptor] = field;
  if (descriptor === undefined) return undefined;
  return 2 ** (SMALLEST_WINDOW_LOG + (descriptor >>> 3)) * (1 + (descriptor & 7) / 8);
}

function readContentSize(field: Buffer): number | undefined {
  if (field.length === 0) return undefined;
  if (field.length === 8) return Number(field.readBigUInt64LE());
  return field.readUIntLE(0, field.length) + (field.length === 2 ? SHORT_SIZE_BASE : 0);
}
