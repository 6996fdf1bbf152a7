import type { RangeReader } from '../../base/source.ts';
import type { RawGuess } from './raw-end.ts';

/** What a decoder may know and use of its input. */
export interface DecodeOptions {
  /** Size of the stream in bytes, where known. */
  size?: number | undefined;
  /** The position of an earlier decoder of the same stream, from which to resume: extents before it are left out. */
  from?: number;
  /** Random access to the same bytes, where available. */
  ranges?: RangeReader | undefined;
  /** Whether the stream has to be read to its end even where ranges are used, because a checksum covers it. */
  readsAll?: boolean;
  /**
   * What is known of an object that counts as raw unless its end shows otherwise; undefined where the user named the
   * format.
   */
  guess?: RawGuess | undefined;
}
