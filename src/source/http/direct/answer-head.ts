import { LONGEST_FIELDS } from '../head-limits.ts';
import { Http2Only } from './http2-only.ts';

/**
 * Longest head in bytes. This is more than the parser accepts, which does not count what separates many short fields.
 */
export const LONGEST_HEAD = 2 * LONGEST_FIELDS;
const START_OF_HEAD = 'HTTP/';
/** Lines should end with CRLF. Where they do not, the parser should report that, rather than a timeout occur. */
const END_OF_HEAD = /\r?\n\r?\n/;
/** Most bytes of an end that may have arrived before its last byte. */
const LONGEST_BEGUN_END = 3;
/** Initial capacity in bytes; enough for nearly all heads. */
const FIRST_ROOM = 4096;
const FRAME_HEADER = 9;
const SETTINGS_FRAME = 4;

/**
 * The head of a response while it arrives. Its memory grows geometrically, so that a head that arrives byte by byte is
 * not copied for each byte.
 */
export class AnswerHead {
  #memory = Buffer.allocUnsafe(FIRST_ROOM);
  #length = 0;

  get bytes(): Buffer {
    return this.#memory.subarray(0, this.#length);
  }

  /**
   * @returns how many of the bytes that were just added follow the end of the head; undefined where it has not ended
   * @throws as the parser of `node:http` would, where it is not a head, or is longer than {@link LONGEST_HEAD}
   */
  add(bytes: Buffer): number | undefined {
    const searched = Math.max(0, this.#length - LONGEST_BEGUN_END);
    this.#append(bytes);
    this.#checkStart();
    const found = END_OF_HEAD.exec(this.bytes.toString('latin1', searched));
    if (found !== null) {
      const end = searched + found.index + found[0].length;
      const unused = this.#length - end;
      this.#length = end;
      return unused;
    }
    if (this.#length >= LONGEST_HEAD) throw failure('HPE_HEADER_OVERFLOW', 'the head of the answer is too long');
    return undefined;
  }

  #append(bytes: Buffer): void {
    const length = this.#length + bytes.length;
    if (length > this.#memory.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, 2 * this.#memory.length));
      this.bytes.copy(larger);
      this.#memory = larger;
    }
    bytes.copy(this.#memory, this.#length);
    this.#length = length;
  }

  /** Refuses leading empty lines, which the parser would skip and then wait. */
  #checkStart(): void {
    if (START_OF_HEAD.startsWith(this.bytes.toString('latin1', 0, START_OF_HEAD.length))) return;
    if (this.#length < FRAME_HEADER && this.bytes[0] === 0) return;
    if (beginsAsHttp2(this.bytes)) throw new Http2Only();
    throw failure('HPE_INVALID_CONSTANT', 'what came does not begin as an answer does');
  }
}

/**
 * Whether a server speaks HTTP/2: it begins with its settings, whatever it is sent (RFC 9113 sections 3.4, 4.1 and
 * 6.5).
 */
function beginsAsHttp2(bytes: Buffer): boolean {
  if (bytes.length < FRAME_HEADER) return false;
  const isOfConnection = bytes.readUInt32BE(5) === 0;
  return bytes.readUIntBE(0, 3) % 6 === 0 && bytes[3] === SETTINGS_FRAME && isOfConnection;
}

function failure(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
