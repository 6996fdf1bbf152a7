import { converted } from './converted.ts';
import type { MatrixImage } from './matrix-image.ts';
import { otherFormats } from './other-formats.ts';
import { written } from './written.ts';

export type { MatrixImage };

/** All of them, or every so-manieth. */
export function* imageMatrix(step = 1): Generator<MatrixImage> {
  let index = 0;
  for (const image of [...converted(), ...written(), ...otherFormats()]) {
    if (index % step === 0) yield image;
    index += 1;
  }
}
