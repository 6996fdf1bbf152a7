import type { RangeReader } from '../../base/source.ts';
import type { RawGuess } from './raw-end.ts';

/** What a decoder may know and use of the stream that it reads. */
export interface DecodeOptions {
  /** Bytes of the stream, where they are known. */
  size?: number | undefined;
  /** A position that an earlier decoder of the same stream had come to: extents of before are left out. */
  from?: number;
  /** Access to any part of the same bytes, where there is any. */
  ranges?: RangeReader | undefined;
  /** Whether the stream has to be read to its end, even where its bytes are got otherwise: its checksum counts. */
  readsAll?: boolean;
  /** Of what counts as raw unless its end tells something else; undefined where somebody has stated the format. */
  guess?: RawGuess | undefined;
}
