import { openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deserialize } from 'node:v8';
import { argv, cpuUsage, exit, resourceUsage } from 'node:process';
import { numbers } from '../image-matrix/numbers.ts';
import { below, mutate, stretch } from './mutate.ts';
import type { Format, SeedImage } from './seed-images.ts';
import { attemptClone } from './subjects/clones.ts';
import { attemptImage } from './subjects/images.ts';
import { attemptLayers } from './subjects/layers.ts';
import { Violation, type Attempt } from './subjects/subject.ts';
import { attemptText } from './subjects/texts.ts';

/** In KiB; the decoders' buffers, a thread pool's stacks and Node itself are less than half of it. */
const MOST_MEMORY = 512 * 1024;

/** Microseconds of the processor for a byte; what an image claims to hold is waited for besides, and Node has to warm up. */
const TIME_PER_BYTE = 5;
const LEAST_TIME = { image: 12_000_000, other: 1_500_000 };

const others: Partial<Record<Format, Attempt>> = { text: attemptText, layer: attemptLayers, clone: attemptClone };

/** Does every `step`th run from `first` to before `end`; the number of the current one is in a file, for who watches. */
const [imagesFile = '', placeFile = '', seed = '', ...counts] = argv.slice(2);
const [first = 0, end = 0, step = 1] = counts.map(Number);
const images = deserialize(readFileSync(imagesFile)) as SeedImage[];
const place = openSync(placeFile, 'w');

for (let run = first; run < end; run += step) {
  writeSync(place, run.toString().padEnd(20), 0);
  const random = numbers(`${seed}:${run}`);
  const image = images[below(random, images.length)];
  if (image === undefined) break;
  const other = others[image.format];
  const mutated = mutate(Buffer.from(image.bytes), random);
  const damaged = other !== undefined && random() < 0.3 ? stretch(mutated, random) : mutated;
  const budget = (other === undefined ? LEAST_TIME.image : LEAST_TIME.other) + damaged.length * TIME_PER_BYTE;
  try {
    const before = cpuUsage();
    await (other ?? attemptImage)(damaged, random);
    const { user } = cpuUsage(before);
    if (user > budget) throw new Violation(`${user} µs for ${damaged.length} bytes, where ${budget} were enough`);
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
