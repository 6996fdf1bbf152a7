import type { MessagePort } from 'node:worker_threads';
import type { BlockSizes, DecodingFailure } from '../native/stream-codec.ts';
import type { NativeStream } from '../native/stream-codecs.ts';

/** Begins a stream, for which both sides then communicate through the port. */
export interface NewStream {
  stream: NativeStream;
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
