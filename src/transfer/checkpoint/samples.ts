import { createHash } from 'node:crypto';
import type { Extent } from '../../base/extents.ts';
import { isZero } from '../../base/zeros.ts';
import type { ResumableSink } from '../../sink/resumable-sink.ts';
import type { Sample } from './checkpoint.ts';

/**
 * Bytes of a sample. A piece this small is either written as a whole or, where it is all zeros, left out as a whole.
 */
const LENGTH = 512;

/** Takes a sample of the first piece of an extent that is not all zeros; undefined where all of it is. */
export function takeSample({ offset, data }: Extent): Sample | undefined {
  for (let at = (LENGTH - (offset % LENGTH)) % LENGTH; at + LENGTH <= data.length; at += LENGTH) {
    const piece = data.subarray(at, at + LENGTH);
    if (!isZero(piece)) return { offset: offset + at, length: LENGTH, sha256: hash(piece) };
  }
  return undefined;
}

/** Whether the target still holds the data that the samples were taken of. */
export async function holdsSamples(sink: ResumableSink, samples: readonly Sample[]): Promise<boolean> {
  for (const { offset, length, sha256 } of samples) {
    if (hash(await sink.read(offset, length)) !== sha256) return false;
  }
  return true;
}

function hash(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
