import type { ByteReader, ByteStream } from '../../base/bytes.ts';
import { TransferError } from '../../base/errors.ts';
import { ArchiveBudget } from './archive-budget.ts';
import { type Overrides, parsePax } from './pax.ts';
import { expand, readBodyMap, readHeaderMap, type SparseFile, sparseFile } from './sparse-file.ts';
import { BLOCK, damaged, readBody, readNumber, takeBlocks, truncated } from './tar-blocks.ts';

/** A member of an archive. Its body is skipped unless it is read. */
export interface TarEntry {
  path: string;
  /** Type of the member; devices and pipes are `other`. */
  type: 'file' | 'folder' | 'hard-link' | 'symbolic-link' | 'other';
  /** The target of a link. */
  linkPath?: string;
  /** Size in bytes, including the holes of a sparse file. */
  size: number;
  /** Bytes of the member that are in the archive. */
  stored: number;
  /** Offset of the content in the stream; undefined where it is not stored contiguously, because the file is sparse. */
  offset: number | undefined;
  /**
   * The content, including the holes of a sparse file. It has to be read, as far as it is needed, before the next entry
   * is requested.
   */
  body: ByteStream;
}

/** Longest header in bytes. The map of a sparse file may be in it, which needs this much for some 100,000 pieces. */
const LONGEST_EXTENSION = 8 * 1024 * 1024;
/** Longest path in bytes that the system accepts (PATH_MAX). */
const LONGEST_PATH = 4096;
/** Most extended headers of one member; programs write at most one of each kind. */
const MOST_EXTENSIONS = 16;
const SPARSE = 'S';
/** Types by their flags; any other flag is a device, a pipe, or unknown. */
const types = new Map<string, TarEntry['type']>([
  ...['0', '\0', '7', SPARSE].map((flag) => [flag, 'file'] as const),
  ['1', 'hard-link'],
  ['2', 'symbolic-link'],
  ['5', 'folder'],
]);

export interface TarOptions {
  /** Limits what is skipped. */
  budget?: ArchiveBudget;
  /** Whether the completeness of the stream is verified elsewhere: the last member may then lack its padding. */
  isVerified?: boolean;
}

/**
 * Reads a tar stream (POSIX.1-2001 pax, GNU and ustar, each with sparse files) member by member. As in GNU tar and
 * others, the end of the stream between two members is the end of the archive, because not every program writes the
 * final blocks.
 *
 * @throws TransferError InvalidImage, TruncatedImage, UnsupportedImage
 */
export async function* readTar(
  reader: ByteReader,
  { budget = new ArchiveBudget(), isVerified = false }: TarOptions = {},
): AsyncGenerator<TarEntry, void, void> {
  let overrides: Overrides = {};
  let extensions = 0;
  for (;;) {
    await budget.pause();
    const start = reader.position;
    if (extensions === 0 && (await reader.peek(1)).length === 0) return;
    const header = await takeBlocks(reader, BLOCK);
    if (header.every((byte) => byte === 0)) return;
    if (!isTarHeader(header)) throw damaged();
    const type = header.toString('latin1', 156, 157);
    const stored = overrides.size ?? readNumber(header.subarray(124, 136));
    const padded = Math.ceil(stored / BLOCK) * BLOCK;
    if ('xLgK'.includes(type)) {
      extensions += 1;
      if (extensions > MOST_EXTENSIONS) throw damaged();
      budget.countSkipped(BLOCK + padded);
      const extension = await takeExtension(reader, stored, padded);
      if (type === 'L') overrides.path = extension.toString('utf8').replace(/\0.*$/s, '');
      else if (type === 'K') overrides.linkPath = extension.toString('utf8').replace(/\0.*$/s, '');
      else if (type === 'x') overrides = { ...overrides, ...parsePax(extension) };
      continue;
    }
    budget.countMember();
    const inHeader = type === SPARSE ? await readHeaderMap(header, reader, stored) : undefined;
    const end = reader.position + padded;
    const needed = reader.position + stored;
    const sparse = inHeader ?? (await readMap(overrides, reader, stored));
    const path = overrides.path ?? readPath(header);
    const linkPath = overrides.linkPath ?? readText(header.subarray(157, 257));
    if (Math.max(Buffer.byteLength(path), Buffer.byteLength(linkPath)) > LONGEST_PATH) throw damaged();
    budget.countSkipped(reader.position - start);
    yield {
      path,
      type: types.get(type) ?? 'other',
      ...(linkPath !== '' && { linkPath }),
      size: sparse?.size ?? stored,
      stored,
      offset: sparse === undefined ? reader.position : undefined,
      body: sparse === undefined ? readBody(reader, stored) : expand(sparse, reader),
    };
    overrides = {};
    extensions = 0;
    const rest = end - reader.position;
    if ((await budget.skip(reader, rest)) === rest) continue;
    if (isVerified && reader.position >= needed) return;
    throw truncated();
  }
}

/** Returns the map that extended headers contain or refer to. */
async function readMap({ sparse }: Overrides, reader: ByteReader, stored: number): Promise<SparseFile | undefined> {
  if (sparse === undefined) return undefined;
  if (sparse.numbers === undefined) return readBodyMap(sparse.size, reader, stored);
  return sparseFile(sparse.size, sparse.numbers, stored);
}

/** Whether a block is the header of a member, with a valid checksum. */
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
