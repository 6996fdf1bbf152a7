import type { ByteReader, ByteStream } from '../bytes.ts';
import { TransferError } from '../errors.ts';

/** One member of an archive. Its body is skipped when nobody reads it. */
export interface TarEntry {
  path: string;
  type: 'file' | 'other';
  size: number;
  /** To be read, as far as it is wanted, before the next entry is asked for. */
  body: ByteStream;
}

const BLOCK = 512;
const LONGEST_EXTENSION = 1024 * 1024;
const CHUNK = 1024 * 1024;
const fileTypes = new Set(['0', '\0', '7']);

/** What extended headers say of the next member. */
interface Overrides {
  path?: string;
  size?: number;
}

/**
 * Reads a tar stream (POSIX.1-2001 pax, GNU and ustar) member by member.
 *
 * @throws TransferError InvalidImage, TruncatedImage
 */
export async function* readTar(reader: ByteReader): AsyncGenerator<TarEntry, void, void> {
  let overrides: Overrides = {};
  for (;;) {
    const header = Buffer.from(await reader.take(BLOCK));
    if (header.length < BLOCK) throw truncated();
    if (header.every((byte) => byte === 0)) return;
    if (!isTarHeader(header)) throw new TransferError('InvalidImage', 'the tar archive is damaged');
    const type = header.toString('latin1', 156, 157);
    const size = overrides.size ?? readNumber(header.subarray(124, 136));
    const padded = Math.ceil(size / BLOCK) * BLOCK;
    if (type === 'x' || type === 'L') {
      const extension = await takeExtension(reader, size, padded);
      if (type === 'L') overrides.path = extension.toString('utf8').replace(/\0.*$/s, '');
      else overrides = { ...overrides, ...parsePax(extension) };
      continue;
    }
    if (type === 'g' || type === 'K') {
      await takeExtension(reader, size, padded);
      continue;
    }
    const end = reader.position + padded;
    yield {
      path: overrides.path ?? readPath(header),
      type: fileTypes.has(type) ? 'file' : 'other',
      size,
      body: readBody(reader, size),
    };
    overrides = {};
    const rest = end - reader.position;
    if ((await reader.skip(rest)) < rest) throw truncated();
  }
}

/** Whether a block is the header of a member: its checksum is right. */
export function isTarHeader(block: Buffer): boolean {
  if (block.length < BLOCK) return false;
  const expected = /^ *([0-7]+)[ \0]*$/.exec(block.toString('latin1', 148, 156))?.[1];
  if (expected === undefined) return false;
  let sum = 0;
  for (let index = 0; index < BLOCK; index += 1) sum += index >= 148 && index < 156 ? 0x20 : (block[index] ?? 0);
  return sum === Number.parseInt(expected, 8);
}

async function* readBody(reader: ByteReader, size: number): ByteStream {
  const end = reader.position + size;
  while (reader.position < end) {
    const chunk = await reader.takeSome(Math.min(CHUNK, end - reader.position));
    if (chunk.length === 0) throw truncated();
    yield chunk;
  }
}

async function takeExtension(reader: ByteReader, size: number, padded: number): Promise<Buffer> {
  if (size > LONGEST_EXTENSION) throw new TransferError('InvalidImage', 'the tar archive has an oversized header');
  const bytes = Buffer.from(await reader.take(padded));
  if (bytes.length < padded) throw truncated();
  return bytes.subarray(0, size);
}

/** Records of the form "LENGTH KEY=VALUE\n", where LENGTH counts the whole record. */
function parsePax(records: Buffer): Overrides {
  const overrides: Overrides = {};
  for (let at = 0; at < records.length;) {
    const length = Number.parseInt(records.toString('latin1', at, at + 20), 10);
    if (!(length > 0)) break;
    const [, key, value = ''] = /^\d+ ([^=]+)=(.*)\n$/s.exec(records.toString('utf8', at, at + length)) ?? [];
    if (key === 'path') overrides.path = value;
    if (key === 'size') overrides.size = checkedSize(Number(value));
    at += length;
  }
  return overrides;
}

/** Octal digits, or where the first bit is set, a binary number. */
function readNumber(field: Buffer): number {
  if (((field[0] ?? 0) & 0x80) !== 0) return checkedSize(Number(field.readBigUInt64BE(field.length - 8)));
  const digits = field
    .toString('latin1')
    .replace(/[ \0]+$/, '')
    .trimStart();
  return digits === '' ? 0 : checkedSize(/^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : NaN);
}

function checkedSize(size: number): number {
  if (!Number.isSafeInteger(size) || size < 0) throw new TransferError('InvalidImage', 'the tar archive is damaged');
  return size;
}

function readPath(header: Buffer): string {
  const name = readText(header.subarray(0, 100));
  const isPosix = header.toString('latin1', 257, 263) === 'ustar\0';
  const prefix = isPosix ? readText(header.subarray(345, 500)) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

function readText(field: Buffer): string {
  return field.toString('utf8').replace(/\0.*$/s, '');
}

function truncated(): TransferError {
  return new TransferError('TruncatedImage', 'the tar archive ends too early: it is incomplete');
}
