import { DecoderMemory } from './decoder-memory.ts';
import type { NativeDecoding } from './driver.ts';
import { RemoteStream } from './remote-stream.ts';

/** In bytes, of each of the two pieces of input and the four of output that are in use at once. */
const PIECE = 1024 * 1024;

/** A whole stream, decoded on one other thread. */
export function decodedRemotely(kind: 'gzip' | 'zstd'): NativeDecoding {
  return { create: () => new RemoteStream({ kind }, new DecoderMemory(2, 4, PIECE)), hasPieces: false };
}
