import { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { finished } from 'node:stream/promises';
import { lendReads } from './lent-reads.ts';
import { PieceReader, type StreamDigest } from './piece-stream.ts';

/**
 * Reads a stream of pieces to its end, and waits until the consumer has taken everything. Where that fails, the
 * connection stays, so that the client can be told why.
 *
 * @param from a body, or a connection on which nothing else comes any more
 * @param take consumes a verified piece, which is valid until its promise settles
 * @throws TransferError StreamCorrupted; what the consumer threw; Error where the connection ends first
 */
export async function receivePieces(
  from: IncomingMessage | Socket,
  take: (piece: Buffer) => Promise<void>,
): Promise<StreamDigest> {
  const reader = new PieceReader(take);
  const waiting: Buffer[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  let isBusy = false;
  let isOver = false;

  const catchUp = async (busy: Promise<void>): Promise<void> => {
    isBusy = true;
    from.pause();
    await busy;
    for (let bytes = waiting.shift(); bytes !== undefined; bytes = waiting.shift()) await reader.add(bytes);
    isBusy = false;
    if (!isOver) from.resume();
  };
  const add = (bytes: Buffer): void => {
    if (isOver) return;
    // What was received already comes in spite of the pause.
    if (isBusy) {
      waiting.push(Buffer.from(bytes));
      return;
    }
    try {
      const busy = reader.add(bytes);
      if (busy) catchUp(busy).then(lookForEnd, reject);
      else lookForEnd();
    } catch (error) {
      reject(error);
    }
  };
  const lookForEnd = (): void => {
    // What follows the end in a body is an error.
    if (reader.hasEnded && !(from instanceof IncomingMessage)) resolve(undefined);
  };

  finished(from, { writable: false }).then(() => {
    if (from instanceof IncomingMessage) resolve(undefined);
    else reject(new Error('the connection was closed'));
  }, reject);
  if (from instanceof IncomingMessage) from.on('data', add);
  else lendReads(from, add);
  try {
    await promise;
    return await reader.end();
  } finally {
    isOver = true;
    await reader.settle();
  }
}
