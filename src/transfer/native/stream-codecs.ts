import { igzip } from './igzip.ts';
import { liblzma } from './liblzma.ts';
import { zstdStream } from './libzstd.ts';

/** The native decoders of streams that are there; null where a library is missing. */
export const streamCodecs = { gzip: igzip, zstd: zstdStream, xz: liblzma } as const;

export type NativeStreamKind = keyof typeof streamCodecs;
