import { createHash } from 'node:crypto';
import { TransferError } from '../errors.ts';

/** What one end saw of a stream: how many bytes, and their SHA-256 in hex. */
export interface StreamDigest {
  bytes: number;
  sha256: string;
}

/** Counts and hashes a stream as it passes. */
export class StreamDigester {
  readonly #hash = createHash('sha256');
  #bytes = 0;

  update(piece: Buffer): void {
    this.#hash.update(piece);
    this.#bytes += piece.length;
  }

  /** May be called once, when the stream is over. */
  digest(): StreamDigest {
    return { bytes: this.#bytes, sha256: this.#hash.digest('hex') };
  }
}

/** @throws TransferError StreamCorrupted where both ends did not see the same stream. */
export function compareDigests(sent: StreamDigest, received: StreamDigest): void {
  if (sent.bytes === received.bytes && sent.sha256 === received.sha256) return;
  throw new TransferError(
    'StreamCorrupted',
    `the stream was corrupted on its way: ${sent.bytes} bytes with SHA-256 ${sent.sha256} were sent, ` +
      `${received.bytes} with ${received.sha256} arrived`,
  );
}
