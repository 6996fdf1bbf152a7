/**
 * How the stream of a clone is split into pieces, each of which is verified before any of it is written:
 *
 *     piece    u32 length of its bytes, 16 bytes AES-128-GMAC of them (SP 800-38D), the bytes
 *     …
 *     end      u32 0, 32 bytes SHA-256 of the codes of all pieces in order, u64 bytes in all pieces
 *
 * All numbers are big-endian. The key of the codes is not secret: TLS keeps attackers out, and the codes detect damage
 * within either end, as reliably as SHA-256 would and eight times as fast.
 */
import { createCipheriv, createHash, createSecretKey } from 'node:crypto';
import { TransferError } from '../../base/errors.ts';

/**
 * Bytes of a piece. This needs far fewer system calls and cipher initialisations than the 16 KiB of TLS or the 64 KiB
 * of a pipe.
 */
export const PIECE_LENGTH = 512 * 1024;

/** An object: of bytes, Node makes one for each cipher, which takes a third as long as the code itself. */
const CODE_KEY = createSecretKey(Buffer.alloc(16));
const CODE_NONCE = Buffer.alloc(12);
const HEADER_LENGTH = 4 + 16;
const END_DIGEST_LENGTH = 32;
const END_LENGTH = 4 + END_DIGEST_LENGTH + 8;

/** What one end saw of a stream: the number of bytes, and the SHA-256, in hexadecimal, of the codes of its pieces. */
export interface StreamDigest {
  bytes: number;
  sha256: string;
}

function codeOf(piece: Buffer): Buffer {
  const code = createCipheriv('aes-128-gcm', CODE_KEY, CODE_NONCE);
  code.setAAD(piece);
  code.final();
  return code.getAuthTag();
}

/** Counts the bytes of passing pieces and digests their codes. */
class StreamDigester {
  readonly #hash = createHash('sha256');
  #bytes = 0;

  /** @returns the code of the piece */
  add(piece: Buffer): Buffer {
    const code = codeOf(piece);
    this.#hash.update(code);
    this.#bytes += piece.length;
    return code;
  }

  end(): StreamDigest {
    return { bytes: this.#bytes, sha256: this.#hash.digest('hex') };
  }
}

/** Gathers data into pieces, in two buffers: one is filled while the other is being sent. */
export class PieceWriter {
  readonly #send: (bytes: Buffer) => Promise<void>;
  readonly #digester = new StreamDigester();
  #filling = Buffer.allocUnsafeSlow(HEADER_LENGTH + PIECE_LENGTH);
  #other = Buffer.allocUnsafeSlow(HEADER_LENGTH + PIECE_LENGTH);
  #end = HEADER_LENGTH;
  #sending: Promise<void> = Promise.resolve();

  /** @param send sends the next bytes of the stream, which are valid until its promise settles */
  constructor(send: (bytes: Buffer) => Promise<void>) {
    this.#send = send;
  }

  /**
   * Copies a buffer, which may be reused when this returns, or once the promise is fulfilled where it returns one.
   *
   * @throws what `send` threw
   */
  add(buffer: Buffer): Promise<void> | undefined {
    const copied = buffer.copy(this.#filling, this.#end);
    this.#end += copied;
    return this.#end < this.#filling.length ? undefined : this.#passAndAdd(buffer.subarray(copied));
  }

  /** Sends the rest and the end record; returns when all of it has been sent. */
  async end(): Promise<StreamDigest> {
    if (this.#end > HEADER_LENGTH) await this.#pass();
    await this.#sending;
    const digest = this.#digester.end();
    const end = Buffer.alloc(END_LENGTH);
    end.write(digest.sha256, 4, 'hex');
    end.writeBigUInt64BE(BigInt(digest.bytes), 4 + END_DIGEST_LENGTH);
    await this.#send(end);
    return digest;
  }

  async #passAndAdd(rest: Buffer): Promise<void> {
    await this.#pass();
    await this.add(rest);
  }

  async #pass(): Promise<void> {
    const piece = this.#filling.subarray(HEADER_LENGTH, this.#end);
    this.#filling.writeUInt32BE(piece.length);
    this.#digester.add(piece).copy(this.#filling, 4);
    await this.#sending;
    this.#sending = this.#send(this.#filling.subarray(0, this.#end));
    // Thrown from the next call.
    this.#sending.catch(() => undefined);
    [this.#filling, this.#other] = [this.#other, this.#filling];
    this.#end = HEADER_LENGTH;
  }
}

/** Reads a stream of pieces that arrives in buffers of any size. It needs memory for two pieces. */
export class PieceReader {
  readonly #take: (piece: Buffer) => Promise<void>;
  readonly #digester = new StreamDigester();
  readonly #header = Buffer.alloc(END_LENGTH);
  #headerLength = 0;
  #filling = Buffer.allocUnsafeSlow(PIECE_LENGTH);
  #other = Buffer.allocUnsafeSlow(PIECE_LENGTH);
  /** Bytes of the arriving piece; 0 while its header arrives. */
  #length = 0;
  #filled = 0;
  #taking: Promise<void> = Promise.resolve();
  /** Whether the consumer has not taken the last piece yet, or has failed to. */
  #isTaking = false;
  #digest: StreamDigest | undefined;
  #settled = false;

  /** @param take consumes a verified piece, which is valid until its promise settles */
  constructor(take: (piece: Buffer) => Promise<void>) {
    this.#take = take;
  }

  /** Whether the end record has arrived, and is right. */
  get hasEnded(): boolean {
    return this.#digest !== undefined;
  }

  /**
   * Adds the next bytes of the stream, which may be reused once this returns. Where it returns a promise, because it
   * has to wait for the consumer, nothing may be added until that is fulfilled.
   *
   * @throws TransferError StreamCorrupted, and what the consumer threw
   */
  add(buffer: Buffer): Promise<void> | undefined {
    for (let position = 0; position < buffer.length && !this.#settled;) {
      if (this.#length === 0) {
        position += this.#readHeader(buffer, position);
        continue;
      }
      const copied = buffer.copy(this.#filling, this.#filled, position, position + this.#length - this.#filled);
      position += copied;
      this.#filled += copied;
      if (this.#filled === this.#length) return this.#pass(buffer.subarray(position));
    }
    return undefined;
  }

  /**
   * Ends the stream, and waits until the consumer has taken everything.
   *
   * @throws TransferError StreamCorrupted where the stream is incomplete, and what the consumer threw
   */
  async end(): Promise<StreamDigest> {
    await this.#taking;
    if (!this.#digest) throw corrupted('it ended without the digest of what was sent');
    return this.#digest;
  }

  /** Passes nothing more on, and waits until the consumer is idle, ignoring its outcome. */
  async settle(): Promise<void> {
    this.#settled = true;
    await this.#taking.catch(() => undefined);
  }

  #readHeader(buffer: Buffer, position: number): number {
    if (this.#digest) throw corrupted('it goes on after its end');
    const isEnd = this.#headerLength >= 4 && this.#header.readUInt32BE() === 0;
    const wanted = this.#headerLength < 4 ? 4 : isEnd ? END_LENGTH : HEADER_LENGTH;
    const copied = buffer.copy(this.#header, this.#headerLength, position, position + wanted - this.#headerLength);
    this.#headerLength += copied;
    if (wanted > 4 && this.#headerLength === wanted) {
      this.#headerLength = 0;
      if (isEnd) this.#verifyEnd();
      else this.#length = this.#pieceLength();
    }
    return copied;
  }

  #pieceLength(): number {
    const length = this.#header.readUInt32BE();
    if (length > PIECE_LENGTH) throw corrupted(`a piece of ${length} bytes, where none is longer than ${PIECE_LENGTH}`);
    return length;
  }

  #verifyEnd(): void {
    const digest = this.#digester.end();
    const sent = {
      bytes: Number(this.#header.readBigUInt64BE(4 + END_DIGEST_LENGTH)),
      sha256: this.#header.toString('hex', 4, 4 + END_DIGEST_LENGTH),
    };
    compareDigests(sent, digest);
    this.#digest = digest;
  }

  #pass(rest: Buffer): Promise<void> | undefined {
    const piece = this.#filling.subarray(0, this.#length);
    if (this.#digester.add(piece).compare(this.#header, 4, HEADER_LENGTH) !== 0) {
      throw corrupted(`a piece of ${piece.length} bytes is not as it was sent`);
    }
    this.#length = 0;
    this.#filled = 0;
    if (this.#isTaking) return this.#passLater(piece, Buffer.from(rest));
    this.#passNow(piece);
    return this.add(rest);
  }

  async #passLater(piece: Buffer, rest: Buffer): Promise<void> {
    await this.#taking;
    if (this.#settled) return;
    this.#passNow(piece);
    await this.add(rest);
  }

  #passNow(piece: Buffer): void {
    this.#isTaking = true;
    this.#taking = this.#take(piece).then(() => {
      this.#isTaking = false;
    });
    this.#taking.catch(() => undefined);
    [this.#filling, this.#other] = [this.#other, this.#filling];
  }
}

/** @throws TransferError StreamCorrupted where the two ends did not see the same stream */
export function compareDigests(sent: StreamDigest, received: StreamDigest): void {
  if (sent.bytes === received.bytes && sent.sha256 === received.sha256) return;
  throw corrupted(
    `${sent.bytes} bytes with digest ${sent.sha256} were sent, ${received.bytes} with ${received.sha256} arrived`,
  );
}

function corrupted(what: string): TransferError {
  return new TransferError('StreamCorrupted', `the stream of the clone was corrupted on its way: ${what}`);
}
