import { addressOf, canAddress } from './ffi.ts';

/** Alignment of direct reads and writes in bytes, in memory and in the file: enough for every usual device. */
export const ALIGNMENT = 4096;

/** Returns how much memory contains `length` bytes that are aligned for direct access, wherever it begins. */
export function alignableLength(length: number): number {
  return length + ALIGNMENT;
}

/**
 * Returns the part of the memory that is aligned for direct access, where its address can be determined.
 *
 * @param memory as long as {@link alignableLength} says
 */
export function alignedPart(memory: ArrayBuffer, length: number): Buffer<ArrayBuffer> {
  if (!canAddress) return Buffer.from(memory, 0, length);
  const behind = Number(addressOf(Buffer.from(memory)) % BigInt(ALIGNMENT));
  return Buffer.from(memory, (ALIGNMENT - behind) % ALIGNMENT, length);
}

/** Whether data can be read or written directly to or from where it is. */
export function isAligned(data: Buffer, position: number): boolean {
  if (!canAddress || position % ALIGNMENT !== 0 || data.length % ALIGNMENT !== 0) return false;
  return addressOf(data) % BigInt(ALIGNMENT) === 0n;
}
