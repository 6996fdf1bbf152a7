import { constants, inflateSync } from 'node:zlib';
import { systemCode } from '../../../base/errors.ts';

/** The compression method in the two bytes of a zlib header, RFC 1950 section 2.2. */
const DEFLATE = 8;
const LARGEST_WINDOW = 7;
/** How many bytes of the start are decompressed to test it, and the most output of that. */
const TRIED = 4096;
const MOST_OUTPUT = 1024 * 1024;
/** Shortest output in bytes that is conclusive. */
const LEAST_OUTPUT = 64;

/** Header of an .lzma file: a byte of properties, the size of the dictionary, the size of the content. */
const LZMA_HEADER = 13;
const LZMA_DEFAULT_PROPERTIES = 0x5d;
const LARGEST_CONTENT = 2n ** 48n;
const UNKNOWN_CONTENT = 2n ** 64n - 1n;

/**
 * Names a compression with hardly any magic number; its header has to be plausible as well.
 *
 * @param head its first bytes, 4 KiB or all there are
 */
export function describeDeflated(head: Buffer): string | undefined {
  if (isZlib(head)) return 'compressed with zlib, as disk images of macOS (DMG) are as well';
  return isLzma(head) ? 'compressed with lzma' : undefined;
}

function isZlib(head: Buffer): boolean {
  if (head.length < 8) return false;
  const [method = 0] = head;
  if ((method & 15) !== DEFLATE || method >> 4 > LARGEST_WINDOW || head.readUInt16BE(0) % 31 !== 0) return false;
  try {
    const options = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: MOST_OUTPUT };
    return inflateSync(head.subarray(0, TRIED), options).length >= LEAST_OUTPUT;
  } catch (error) {
    return systemCode(error) === 'ERR_BUFFER_TOO_LARGE';
  }
}

/**
 * Recognises .lzma as xz and file(1) do: the dictionary is 2^n or 2^n + 2^(n-1) bytes, and the content is not absurdly
 * large.
 */
function isLzma(head: Buffer): boolean {
  if (head.length < LZMA_HEADER || head[0] !== LZMA_DEFAULT_PROPERTIES) return false;
  const dictionary = head.readUInt32LE(1);
  const exponent = Math.floor(Math.log2(dictionary));
  const isUsual = dictionary >= 4096 && (dictionary === 2 ** exponent || dictionary === 1.5 * 2 ** exponent);
  const content = head.readBigUInt64LE(5);
  return isUsual && (content === UNKNOWN_CONTENT || content < LARGEST_CONTENT) && head[LZMA_HEADER] === 0;
}
