const BLOCK = 4096;
const PROBE = 64 * 1024;
/** Shortest hole in bytes. Shorter runs of zeros between data are written, because a separate write costs more. */
export const SHORTEST_HOLE = 4 * BLOCK;
/** Never written to, so that views of this memory are known to be zeros without looking. */
const zeros = Buffer.alloc(1024 * 1024);

/** Yields this many zeros, in pieces that {@link isZero} recognises. */
export function* zeroPieces(length: number): Generator<Buffer, void, void> {
  for (let left = length; left > 0; left -= zeros.length) yield zeros.subarray(0, left);
}

/** Whether all bytes are zero. */
export function isZero(bytes: Buffer): boolean {
  if (bytes.buffer === zeros.buffer) return true;
  for (let at = 0; at < bytes.length; at += PROBE) {
    const part = bytes.subarray(at, at + PROBE);
    // Most data does not begin with a zero, and a look is faster than a call.
    if (part[0] !== 0 || zeros.compare(part, 0, part.length, 0, part.length) !== 0) return false;
  }
  return true;
}

/**
 * Returns the parts of `bytes` that are worth writing, as [start, end), in order. Whole blocks of zeros are left out.
 */
export function dataRuns(bytes: Buffer): [start: number, end: number][] {
  const runs: [number, number][] = [];
  const add = (start: number, end: number): void => {
    const last = runs.at(-1);
    if (last !== undefined && start - last[1] < SHORTEST_HOLE) last[1] = end;
    else runs.push([start, end]);
  };
  for (let at = 0; at < bytes.length; at += PROBE) {
    const probe = bytes.subarray(at, at + PROBE);
    if (isZero(probe)) continue;
    for (let block = 0; block < probe.length; block += BLOCK) {
      const end = Math.min(block + BLOCK, probe.length);
      const isData = probe[block] !== 0 || zeros.compare(probe, block, end, 0, end - block) !== 0;
      if (isData) add(at + block, at + end);
    }
  }
  return runs;
}
