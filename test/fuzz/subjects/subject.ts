import { RandomAccessNeeded, TransferError } from '../../../src/base/errors.ts';
import type { Random } from '../mutate.ts';

/** Something that nothing from outside may bring about. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

/** Parsers that are let loose on the same damaged bytes. Throws Violation, or whatever else should not be thrown. */
export type Attempt = (bytes: Buffer, random: Random) => Promise<void>;

/** Failures that are foreseen are none here. */
export async function survive<T>(work: () => Promise<T> | T): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof RandomAccessNeeded) return undefined;
    if (error instanceof TransferError && error.code !== 'InternalError') return undefined;
    throw error;
  }
}
