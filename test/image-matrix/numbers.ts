/** The same numbers in [0, 1) for the same seed (mulberry32). */
export function numbers(seed: string): () => number {
  let state = [...Buffer.from(seed)].reduce((hash, byte) => Math.imul(hash ^ byte, 16777619), 2166136261);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
