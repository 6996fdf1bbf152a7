import type { ByteReader, ByteStream } from '../bytes.ts';
import { TransferError } from '../errors.ts';
import { parsePax, type Overrides } from './pax.ts';
import { expand, readBodyMap, readHeaderMap, sparseFile, type SparseFile } from './sparse-file.ts';
import { BLOCK, damaged, readBody, readNumber, takeBlocks, truncated } from './tar-blocks.ts';

/** One member of an archive. Its body is skipped when nobody reads it. */
export interface TarEntry {
  path: string;
  type: 'file' | 'other';
  /** In bytes, the holes of a sparse file included. */
  size: number;
  /** Where it begins in the stream; undefined where it does not lie there as it is, because it is sparse. */
  offset: number | undefined;
  /** To be read, as far as it is wanted, before the next entry is asked for. Of a sparse file, with its holes. */
  body: ByteStream;
}

/** The map of a sparse file may be in a header: as much as some 100,000 pieces need. */
const LONGEST_EXTENSION = 8 * 1024 * 1024;
const SPARSE = 'S';
const fileTypes = new Set(['0', '\0', '7', SPARSE]);

/**
 * Reads a tar stream (POSIX.1-2001 pax, GNU and ustar, each with sparse files) member by member.
 *
 * @throws TransferError InvalidImage, TruncatedImage, UnsupportedImage
 */
export async function* readTar(reader: ByteReader): AsyncGenerator<TarEntry, void, void> {
  let overrides: Overrides = {};
  for (;;) {
    const header = await takeBlocks(reader, BLOCK);
    if (header.every((byte) => byte === 0)) return;
    if (!isTarHeader(header)) throw damaged();
    const type = header.toString('latin1', 156, 157);
    const stored = overrides.size ?? readNumber(header.subarray(124, 136));
    const padded = Math.ceil(stored / BLOCK) * BLOCK;
    if (type === 'x' || type === 'L') {
      const extension = await takeExtension(reader, stored, padded);
      if (type === 'L') overrides.path = extension.toString('utf8').replace(/\0.*$/s, '');
      else overrides = { ...overrides, ...parsePax(extension) };
      continue;
    }
    if (type === 'g' || type === 'K') {
      await takeExtension(reader, stored, padded);
      continue;
    }
    const inHeader = type === SPARSE ? await readHeaderMap(header, reader, stored) : undefined;
    const end = reader.position + padded;
    const sparse = inHeader ?? (await readMap(overrides, reader, stored));
    yield {
      path: overrides.path ?? readPath(header),
      type: fileTypes.has(type) ? 'file' : 'other',
      size: sparse?.size ?? stored,
      offset: sparse === undefined ? reader.position : undefined,
      body: sparse === undefined ? readBody(reader, stored) : expand(sparse, reader),
    };
    overrides = {};
    const rest = end - reader.position;
    if ((await reader.skip(rest)) < rest) throw truncated();
  }
}

/** The map that extended headers tell of, or tell where to find. */
async function readMap({ sparse }: Overrides, reader: ByteReader, stored: number): Promise<SparseFile | undefined> {
  if (sparse === undefined) return undefined;
  if (sparse.numbers === undefined) return readBodyMap(sparse.size, reader, stored);
  return sparseFile(sparse.size, sparse.numbers, stored);
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

async function takeExtension(reader: ByteReader, size: number, padded: number): Promise<Buffer> {
  if (size > LONGEST_EXTENSION) throw new TransferError('InvalidImage', 'the tar archive has an oversized header');
  return (await takeBlocks(reader, padded)).subarray(0, size);
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
