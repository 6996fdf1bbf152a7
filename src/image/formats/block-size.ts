/** Whether a block, cluster or grain may have this size: a power of two within bounds. */
export function isBlockSize(length: number, smallest: number, largest = Infinity): boolean {
  return length >= smallest && length <= largest && (length & (length - 1)) === 0;
}
