import { DecoderMemory } from './decoder-memory.ts';
import type { NativeDecoding } from './driver.ts';
import { RemoteStream } from './remote-stream.ts';

/** Length in bytes of each buffer: two for input and four for output are in use at once. */
const PIECE = 1024 * 1024;

/** Decodes a whole stream on one other thread. */
export function decodedRemotely(kind: 'gzip' | 'zstd'): NativeDecoding {
  return { create: () => new RemoteStream({ kind }, new DecoderMemory(2, 4, PIECE)), hasPieces: false };
}
