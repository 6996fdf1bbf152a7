import type { RecognisedFormat } from '../../image/formats/recognise.ts';
import type { Unwrapped } from '../../image/unwrap/unwrap.ts';
import type { Subject } from '../checkpoint/checkpoint.ts';

/** An image that is open as a stream. */
export interface OpenedImage extends Unwrapped, RecognisedFormat {
  /** What checkpoints are made of; undefined where later changes of the source could not be detected. */
  subject: Subject | undefined;
  /**
   * Archives in which only certain disks count, by the options and by the checkpoint; see {@link
   * import('../../image/unwrap/unwrap.ts').UnwrapOptions}.
   */
  certainOnly: readonly number[];
  /** Whether `reader` skips long distances without reading them. */
  seeks: boolean;
}
