import { openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { argv, exit, resourceUsage } from 'node:process';
import { deserialize } from 'node:v8';
import { numbers } from '../image-matrix/numbers.ts';
import { withinBudget } from './budget.ts';
import { below } from './mutate.ts';
import type { SeedImage } from './seed-images.ts';
import { subjects } from './subjects/subjects.ts';

/** In KiB; the decoders' buffers, a thread pool's stacks and Node itself are less than half of it. */
const MOST_MEMORY = 512 * 1024;

/**
 * Does every `step`th run from `first` to before `end`; the number of the current one is in a file, for who watches.
 */
const [imagesFile = '', placeFile = '', seed = '', ...counts] = argv.slice(2);
const [first = 0, end = 0, step = 1] = counts.map(Number);
const images = deserialize(readFileSync(imagesFile)) as SeedImage[];
const place = openSync(placeFile, 'w');

for (let run = first; run < end; run += step) {
  writeSync(place, run.toString().padEnd(20), 0);
  const random = numbers(`${seed}:${run}`);
  const image = images[below(random, images.length)];
  if (image === undefined) break;
  const { damage, attempt, budget } = subjects[image.format];
  const damaged = damage(Buffer.from(image.bytes), random);
  try {
    await withinBudget(damaged.length, budget, () => attempt(damaged, random));
    const { maxRSS } = resourceUsage();
    if (maxRSS > MOST_MEMORY) throw new Error(`memory grew to ${maxRSS} KiB`);
  } catch (error) {
    // Some tools make images that are different each time.
    const kept = join(tmpdir(), `diskpress-fuzz-${seed}-${run}`);
    writeFileSync(kept, damaged);
    console.error(`the image is kept as ${kept}:`, error);
    exit(1);
  }
}
writeSync(place, `${end}`.padEnd(20), 0);
exit(0);
