import { Chunk, FIRST_ERROR_CHUNK, LAST_CHUNK, SIMPLE_REPLY_MAGIC, STRUCTURED_REPLY_MAGIC } from './constants.ts';
import { NbdError, NbdViolation } from './nbd-error.ts';

/** Part of a disk by its allocation: a length in bytes, and flags of the context. */
export interface BlockStatus {
  readonly length: number;
  readonly flags: number;
}

/** A request that is not answered yet. */
export interface Pending {
  readonly what: string;
  /** For a read: where the disk is read, and the buffer to be filled. */
  readonly read?: { readonly offset: number; readonly into: Buffer };
  /** For a question for allocation: collects the answer. */
  readonly statuses?: BlockStatus[];
  /** Bytes that have been received of a read. */
  received: number;
  failure: Error | undefined;
  /** Called when the last chunk has come, with the failure if there is one. */
  readonly done: (failure: Error | undefined) => void;
}

/** The longest chunk that is not data, in bytes: an error, or the allocation of four gigabytes in sectors. */
const LONGEST_CHUNK = 128 * 1024 * 1024;

/**
 * Receives replies, in whatever order and pieces the server sends them, until it disconnects.
 *
 * @param pending the requests by their cookies; those that are answered are taken out
 * @throws NbdViolation
 */
export function* replies(pending: Map<bigint, Pending>): Generator<Buffer, void, void> {
  const head = Buffer.alloc(20);
  for (;;) {
    yield head.subarray(0, 16);
    const magic = head.readUInt32BE(0);
    const isSimple = magic === SIMPLE_REPLY_MAGIC;
    if (!isSimple && magic !== STRUCTURED_REPLY_MAGIC) throw new NbdViolation('a reply does not begin as one');
    const cookie = head.readBigUInt64BE(8);
    const request = pending.get(cookie);
    if (request === undefined) throw new NbdViolation('a reply is for no request');
    if (isSimple) {
      if (request.read !== undefined && head.readUInt32BE(4) === 0) throw new NbdViolation('a read has a simple reply');
      request.failure ??= errorOf(request, head.readUInt32BE(4), '');
    } else {
      yield head.subarray(16);
      yield* chunk(request, head.readUInt16BE(6), head.readUInt32BE(16));
    }
    if (!isSimple && (head.readUInt16BE(4) & LAST_CHUNK) === 0) continue;
    pending.delete(cookie);
    request.done(request.failure ?? incomplete(request));
  }
}

function* chunk(request: Pending, type: number, length: number): Generator<Buffer, void, void> {
  if (type === Chunk.data && request.read !== undefined) {
    yield* data(request, request.read, length);
    return;
  }
  if (length > LONGEST_CHUNK) throw new NbdViolation('a chunk is too long');
  const content = Buffer.alloc(length);
  yield content;
  if (type === Chunk.none && length === 0) return;
  if (type === Chunk.hole && request.read !== undefined && length === 12) {
    const into = place(request.read, content.readBigUInt64BE(0), content.readUInt32BE(8));
    into.fill(0);
    request.received += into.length;
  } else if (type === Chunk.blockStatus && request.statuses !== undefined && length % 8 === 4) {
    for (let at = 4; at < length; at += 8) {
      if (content.readUInt32BE(at) === 0) throw new NbdViolation('a part of the disk has no length');
      request.statuses.push({ length: content.readUInt32BE(at), flags: content.readUInt32BE(at + 4) });
    }
  } else if (type >= FIRST_ERROR_CHUNK && length >= 6) {
    const text = content.subarray(6, 6 + content.readUInt16BE(4)).toString();
    request.failure ??= errorOf(request, content.readUInt32BE(0), text);
  } else {
    throw new NbdViolation(`a chunk of type ${type} is no answer to ${request.what}`);
  }
}

function* data(request: Pending, read: NonNullable<Pending['read']>, length: number): Generator<Buffer, void, void> {
  const offset = Buffer.alloc(8);
  yield offset;
  const into = place(read, offset.readBigUInt64BE(0), length - offset.length);
  yield into;
  request.received += into.length;
}

/** Returns the part of the buffer for this part of the disk. */
function place(read: NonNullable<Pending['read']>, offset: bigint, length: number): Buffer {
  const from = Number(offset) - read.offset;
  if (from < 0 || length <= 0 || from + length > read.into.length) {
    throw new NbdViolation('a chunk has bytes that were not asked for');
  }
  return read.into.subarray(from, from + length);
}

function errorOf({ what }: Pending, errno: number, text: string): Error | undefined {
  return errno === 0 ? undefined : new NbdError(what, errno, text);
}

function incomplete({ what, read, received, statuses }: Pending): Error | undefined {
  const isIncomplete = read === undefined ? statuses?.length === 0 : received !== read.into.length;
  return isIncomplete ? new NbdViolation(`${what} was not answered completely`) : undefined;
}
