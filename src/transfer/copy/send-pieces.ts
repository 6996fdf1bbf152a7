import { PieceWriter, type StreamDigest } from './piece-stream.ts';

/** The stream to send, in buffers that stay valid until the next ones are requested. */
export type CloneStream = AsyncIterable<readonly Buffer[]>;

/** What the stream is written to: a request, or a connection. */
interface Output {
  write(bytes: Buffer, done: (error?: Error | null) => void): unknown;
}

/**
 * Sends a stream in pieces.
 *
 * @param answer after which, or after the failure of which, nothing more is sent
 * @returns the digest of what was sent; undefined where the server answered, or the connection broke, before the end
 */
export async function sendPieces(
  output: Output,
  content: CloneStream,
  answer: Promise<unknown>,
): Promise<StreamDigest | undefined> {
  let over = false;
  // After an early answer or a broken connection, a pending write may never complete.
  let stopWaiting = (): void => undefined;
  const stop = (): void => {
    over = true;
    stopWaiting();
  };
  answer.then(stop, stop);
  const writer = new PieceWriter(
    (bytes) =>
      new Promise<void>((resolve, reject) => {
        if (over) {
          resolve();
          return;
        }
        stopWaiting = resolve;
        output.write(bytes, (error) => (error ? reject(error) : resolve()));
      }),
  );
  for await (const some of content) {
    for (const bytes of some) {
      if (over) return undefined;
      const passing = writer.add(bytes);
      // Most of what is added is only copied, and to wait for nothing takes time, too.
      if (passing) await passing;
    }
  }
  return writer.end();
}
