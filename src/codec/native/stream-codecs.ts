import { igzip } from './igzip.ts';
import { liblzma } from './liblzma.ts';
import { zstdStream } from './libzstd.ts';
import type { StreamDecoder } from './stream-codec.ts';
import { type XzBlock, XzBlockDecoder } from './xz-block-decoder.ts';

/** A unit that can be decoded from start to end: a whole stream, or a block of an xz file. */
export type NativeStream = { kind: 'gzip' | 'zstd' } | { kind: 'xz block'; block: XzBlock };

/** @throws DecodingFailed */
export function createDecoder(stream: NativeStream): StreamDecoder {
  const decoder = create(stream);
  if (decoder === undefined) throw new Error(`there is no native library for ${stream.kind} in this thread`);
  return decoder;
}

function create(stream: NativeStream): StreamDecoder | undefined {
  switch (stream.kind) {
    case 'gzip':
      return igzip?.();
    case 'zstd':
      return zstdStream?.();
    case 'xz block':
      return liblzma === null ? undefined : new XzBlockDecoder(liblzma, stream.block);
  }
}
