import type { MessagePort } from 'node:worker_threads';
import type { BlockSizes, DecodingFailure } from '../native/stream-codec.ts';
import type { NativeStream } from '../native/stream-codecs.ts';
import type { BlockCodec } from './block-codecs.ts';

/** Begins a stream, for which both sides then communicate through the port. */
export interface NewStream {
  stream: NativeStream;
  port: MessagePort;
}

/** Opens a port for batches of blocks. */
export interface NewBlocks {
  codec: BlockCodec;
  port: MessagePort;
}

/** Messages to the thread about one stream. Memory is transferred. */
export type ToStream = { input: ArrayBuffer; length: number } | { room: ArrayBuffer } | { inputEnds: true };

/** Messages from the thread about one stream, in the order of its bytes. Memory is transferred back. */
export type FromStream =
  | { consumed: ArrayBuffer }
  | { unneeded: ArrayBuffer }
  | { zeros: number }
  | { data: ArrayBuffer; length: number }
  | StreamEnd
  | { failure: DecodingFailure | undefined; window?: number | undefined; message: string };

/** Everything is decoded. Unused memory is transferred back. */
export interface StreamEnd {
  /** Bytes of the input that belonged to the stream. */
  taken: number;
  inputs: ArrayBuffer[];
  rooms: ArrayBuffer[];
  /** Sizes of a block of an xz file. */
  sizes: BlockSizes | undefined;
}

/** Concatenated compressed blocks, and room for their content, with a place for each. Memory is transferred. */
export interface BlockBatch {
  input: ArrayBuffer;
  lengths: number[];
  room: ArrayBuffer;
  /** Offsets in the room at which the blocks' content belongs; anything between is left unchanged. */
  places: number[];
  blockSize: number;
}

/** The same memory, with the number of bytes of each block; -1 where one is damaged, or exceeds its place. */
export interface DecodedBatch {
  input: ArrayBuffer;
  room: ArrayBuffer;
  decoded: number[];
}
