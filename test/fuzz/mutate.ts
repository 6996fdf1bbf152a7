const MOST_CHANGES = 6;
const HEADER = 160;
/** In bytes: a step for every pair of them takes ten seconds. */
const STRETCHED = 128 * 1024;

/** A number in [0, 1). */
export type Random = () => number;

/** Damages an image in the ways that decoders have to expect, of an attacker as much as of a bad disk. */
export function mutate(original: Buffer, random: Random): Buffer {
  let bytes = Buffer.from(original);
  const changes = 1 + Math.floor(random() * MOST_CHANGES);
  for (let change = 0; change < changes; change += 1) {
    const kind = random();
    if (kind < 0.04) bytes = bytes.subarray(0, below(random, bytes.length + 1));
    else if (kind < 0.06) bytes = Buffer.concat([bytes, Buffer.alloc(below(random, 2000), below(random, 256))]);
    else if (bytes.length >= 16) alter(bytes, random);
  }
  return bytes;
}

/** Repeats a few of the bytes very often: what takes time that grows faster than its input is found out. */
export function stretch(bytes: Buffer, random: Random): Buffer {
  const at = below(random, bytes.length);
  const piece = bytes.subarray(at, at + 1 + below(random, 12));
  if (piece.length === 0) return bytes;
  const many = Buffer.alloc(STRETCHED, piece);
  const rest = random() < 0.5 ? bytes.subarray(at) : Buffer.alloc(0);
  return Buffer.concat([bytes.subarray(0, at), many, rest]);
}

function alter(bytes: Buffer, random: Random): void {
  const at = place(bytes, random);
  switch (below(random, 6)) {
    case 0:
      bytes[at] = (bytes[at] ?? 0) ^ (1 << below(random, 8));
      return;
    case 1:
      bytes[at] = below(random, 256);
      return;
    case 2:
      bytes.writeUInt32BE(telling(bytes, random) % 2 ** 32, at & ~3);
      return;
    case 3:
      bytes.writeBigUInt64BE(BigInt(telling(bytes, random)) | (random() < 0.3 ? 1n << 62n : 0n), at & ~7);
      return;
    case 4:
      bytes.writeBigUInt64LE(BigInt(telling(bytes, random)), at & ~7);
      return;
    default: {
      const length = 1 + below(random, 64);
      bytes.copy(bytes, place(bytes, random), at, at + length);
    }
  }
}

/** Where something is rather than where nothing is; often in the header, or in what looks like a table. */
function place(bytes: Buffer, random: Random): number {
  const last = bytes.length - 8;
  if (random() < 0.3) return below(random, Math.min(HEADER, last));
  const start = below(random, last);
  for (let at = start; at < Math.min(start + 4096, last); at += 1) if (bytes[at] !== 0) return at;
  return start;
}

/** Values at which checks are forgotten. */
function telling(bytes: Buffer, random: Random): number {
  const values = [0, 1, 2, 511, 512, 4096, 65536, 2 ** 31, 2 ** 32 - 1, 2 ** 52, Number.MAX_SAFE_INTEGER, bytes.length];
  const value = values[below(random, values.length + 3)];
  return value ?? Math.floor(random() * (bytes.length / 512 + 2)) * 512;
}

export function below(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}
