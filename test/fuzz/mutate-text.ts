import { below, mutate, type Random } from './mutate.ts';

const LONGEST = 128 * 1024;
const MOST_CHANGES = 5;

/**
 * Damages text as {@link mutate} damages images, and makes parts of it and of what means something come again, often
 * very often.
 */
export function mutateText(original: Buffer, tokens: readonly string[], random: Random): Buffer {
  let bytes = original;
  const changes = 1 + below(random, MOST_CHANGES);
  for (let change = 0; change < changes; change += 1) {
    const at = below(random, bytes.length + 1);
    const kind = random();
    if (kind < 0.3) bytes = mutate(bytes, random);
    else if (kind < 0.6) bytes = insert(bytes, at, Buffer.from(tokens[below(random, tokens.length)] ?? '', 'latin1'));
    else if (kind < 0.8) bytes = insert(bytes, at, bytes.subarray(at, at + 1 + below(random, 40)), many(random));
    else bytes = insert(bytes, at, Buffer.from(tokens[below(random, tokens.length)] ?? '', 'latin1'), many(random));
  }
  return bytes;
}

function many(random: Random): number {
  return 2 ** below(random, 17);
}

function insert(bytes: Buffer, at: number, part: Buffer, times = 1): Buffer {
  const room = Math.max(0, LONGEST - bytes.length);
  const added = Buffer.alloc(Math.min(part.length * times, room), part.length > 0 ? part : ' ');
  return Buffer.concat([bytes.subarray(0, at), added, bytes.subarray(at)]);
}
