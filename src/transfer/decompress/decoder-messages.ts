import type { MessagePort } from 'node:worker_threads';
import type { DecodingFailure } from '../native/stream-codec.ts';
import type { NativeStreamKind } from '../native/stream-codecs.ts';

/** Begins a stream, that both sides then talk about through the port. */
export interface NewStream {
  kind: NativeStreamKind;
  port: MessagePort;
}

/** What the thread is told of one stream. Memory is handed over. */
export type ToDecoder = { input: ArrayBuffer; length: number } | { room: ArrayBuffer } | { inputEnds: true };

/** What the thread tells of one stream, in the order of the stream's bytes. Memory is handed back. */
export type FromDecoder =
  | { consumed: ArrayBuffer }
  | { zeros: number }
  | { data: ArrayBuffer; length: number }
  | { end: true }
  | { failure: DecodingFailure | undefined; message: string };
