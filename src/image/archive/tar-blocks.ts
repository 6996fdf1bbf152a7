import type { ByteReader, ByteStream } from '../../base/bytes.ts';
import { TransferError } from '../../base/errors.ts';

/** The unit of archives, in bytes. */
export const BLOCK = 512;
const CHUNK = 1024 * 1024;

export async function* readBody(reader: ByteReader, size: number): ByteStream {
  const end = reader.position + size;
  while (reader.position < end) {
    const chunk = await reader.takeSome(Math.min(CHUNK, end - reader.position));
    if (chunk.length === 0) throw truncated();
    yield chunk;
  }
}

/** @throws TransferError TruncatedImage */
export async function takeBlocks(reader: ByteReader, length: number): Promise<Buffer> {
  const bytes = Buffer.from(await reader.take(length));
  if (bytes.length < length) throw truncated();
  return bytes;
}

/** Parses octal digits or, where the first bit is set, a binary number. */
export function readNumber(field: Buffer): number {
  if (((field[0] ?? 0) & 0x80) !== 0) return checkedSize(Number(field.readBigUInt64BE(field.length - 8)));
  const digits = field
    .toString('latin1')
    .replace(/[ \0]+$/, '')
    .trimStart();
  return digits === '' ? 0 : checkedSize(/^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : NaN);
}

/** @throws TransferError InvalidImage where it is not a number */
export function decimal(text: string): number {
  return checkedSize(/^\d{1,16}$/.test(text) ? Number(text) : NaN);
}

/** @throws TransferError InvalidImage where it is not a valid size */
export function checkedSize(size: number): number {
  if (!Number.isSafeInteger(size) || size < 0) throw damaged();
  return size;
}

export function damaged(): TransferError {
  return new TransferError('InvalidImage', 'the tar archive is damaged');
}

export function truncated(): TransferError {
  return new TransferError('TruncatedImage', 'the tar archive ends too early: it is incomplete');
}
