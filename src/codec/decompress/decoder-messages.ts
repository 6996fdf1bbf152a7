import type { MessagePort } from 'node:worker_threads';
import type { BlockSizes, DecodingFailure } from '../native/stream-codec.ts';
import type { NativeStream } from '../native/stream-codecs.ts';
import type { BlockCodec } from './block-codecs.ts';

/** Begins a stream, that both sides then talk about through the port. */
export interface NewStream {
  stream: NativeStream;
  port: MessagePort;
}

/** Opens a port for batches of blocks. */
export interface NewBlocks {
  codec: BlockCodec;
  port: MessagePort;
}

/** What the thread is told of one stream. Memory is handed over. */
export type ToStream = { input: ArrayBuffer; length: number } | { room: ArrayBuffer } | { inputEnds: true };

/** What the thread tells of one stream, in the order of the stream's bytes. Memory is handed back. */
export type FromStream =
  | { consumed: ArrayBuffer }
  | { unneeded: ArrayBuffer }
  | { zeros: number }
  | { data: ArrayBuffer; length: number }
  | StreamEnd
  | { failure: DecodingFailure | undefined; window?: number | undefined; message: string };

/** All is decoded. What was not used of the memory is handed back. */
export interface StreamEnd {
  /** Bytes of the input that belonged to it. */
  taken: number;
  inputs: ArrayBuffer[];
  rooms: ArrayBuffer[];
  /** Of a block of an xz file. */
  sizes: BlockSizes | undefined;
}

/** Compressed blocks, one behind the other, and room for what they hold, with a place for each. Memory is handed over. */
export interface BlockBatch {
  input: ArrayBuffer;
  lengths: number[];
  room: ArrayBuffer;
  /** Where in the room each block belongs; what is between them is left as it is. */
  places: number[];
  blockSize: number;
}

/** The same memory. How many bytes there were in each block; -1 where one is damaged, or holds more than its place. */
export interface DecodedBatch {
  input: ArrayBuffer;
  room: ArrayBuffer;
  decoded: number[];
}
