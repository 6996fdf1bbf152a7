import {
  ALLOCATION,
  FIRST_OPTION_ERROR,
  HandshakeFlag,
  Information,
  Option,
  OPTION_MAGIC,
  OPTION_REPLY_MAGIC,
  OptionReply,
  SERVER_MAGIC,
} from './constants.ts';
import { NbdError, NbdViolation } from './nbd-error.ts';

/** What the server offers. */
export interface NbdExport {
  /** In bytes. */
  readonly size: number;
  /** Identifier of the context that tells what is allocated; undefined where the server cannot tell. */
  readonly allocationContext: number | undefined;
}

/** The longest reply to an option, in bytes; more is no answer to what is asked here. */
const LONGEST_REPLY = 64 * 1024;

interface Reply {
  type: number;
  data: Buffer;
}

/**
 * Greets the server (newstyle negotiation), asks for structured replies and for the allocation, and opens the export
 * without a name. Yields the buffers to be filled with what the server sends.
 *
 * @param send sends bytes to the server
 * @throws NbdError where the server refuses something; NbdViolation
 */
export function* handshake(send: (bytes: Buffer) => void): Generator<Buffer, NbdExport, void> {
  const greeting = Buffer.alloc(18);
  yield greeting;
  if (greeting.readBigUInt64BE(0) !== SERVER_MAGIC || greeting.readBigUInt64BE(8) !== OPTION_MAGIC) {
    throw new NbdViolation('the server does not speak the NBD protocol');
  }
  const flags = greeting.readUInt16BE(16);
  if ((flags & HandshakeFlag.fixedNewstyle) === 0) throw new NbdViolation('the server is too old');
  send(uint32(flags & (HandshakeFlag.fixedNewstyle | HandshakeFlag.noZeroes)));
  send(option(Option.structuredReply, Buffer.alloc(0)));
  yield* repliesTo(Option.structuredReply, 'structured replies');
  send(option(Option.setMetaContext, Buffer.concat([text(''), uint32(1), text(ALLOCATION)])));
  const contexts = yield* repliesTo(Option.setMetaContext, 'the allocation');
  const context = contexts.find(({ type }) => type === OptionReply.metaContext);
  send(option(Option.go, Buffer.concat([text(''), uint16(0)])));
  const replies = yield* repliesTo(Option.go, 'opening the disk');
  const information = replies.find(({ type, data }) => type === OptionReply.info && isExport(data));
  if (information === undefined) throw new NbdViolation('the server does not tell the size of the disk');
  return {
    size: Number(information.data.readBigUInt64BE(2)),
    allocationContext: context && context.data.length >= 4 ? context.data.readUInt32BE(0) : undefined,
  };
}

function isExport(data: Buffer): boolean {
  return data.length >= 12 && data.readUInt16BE(0) === Information.export;
}

/** Receives the replies to an option, up to the one that ends them. */
function* repliesTo(asked: number, what: string): Generator<Buffer, Reply[], void> {
  const replies: Reply[] = [];
  for (;;) {
    const head = Buffer.alloc(20);
    yield head;
    const [type, length] = [head.readUInt32BE(12), head.readUInt32BE(16)];
    const isReply = head.readBigUInt64BE(0) === OPTION_REPLY_MAGIC && head.readUInt32BE(8) === asked;
    if (!isReply || length > LONGEST_REPLY) throw new NbdViolation(`the answer to ${what} is none`);
    const data = Buffer.alloc(length);
    yield data;
    if (type >= FIRST_OPTION_ERROR) throw new NbdError(what, type - FIRST_OPTION_ERROR + 1, data.toString());
    if (type === OptionReply.acknowledge) return replies;
    replies.push({ type, data });
  }
}

function option(type: number, data: Buffer): Buffer {
  const head = Buffer.alloc(16);
  head.writeBigUInt64BE(OPTION_MAGIC, 0);
  head.writeUInt32BE(type, 8);
  head.writeUInt32BE(data.length, 12);
  return Buffer.concat([head, data]);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint32(bytes.length), bytes]);
}

function uint32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(value, 0);
  return buffer;
}

function uint16(value: number): Buffer {
  const buffer = Buffer.alloc(2);
  buffer.writeUInt16BE(value, 0);
  return buffer;
}
