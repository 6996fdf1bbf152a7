import { openSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deserialize } from 'node:v8';
import { argv, exit, resourceUsage } from 'node:process';
import { numbers } from '../image-matrix/numbers.ts';
import { attempt } from './attempt.ts';
import { withinBudget } from './budget.ts';
import { HttpAttempts, httpTokens } from './http-answers.ts';
import { below, mutate } from './mutate.ts';
import { mutateText } from './mutate-text.ts';
import { RegistryAttempts, registryTokens } from './registry-answers.ts';
import type { Format, SeedImage } from './seed-images.ts';

/** In KiB; the decoders' buffers, a thread pool's stacks and Node itself are less than half of it. */
const MOST_MEMORY = 512 * 1024;

/** Does every `step`th run from `first` to before `end`; the number of the current one is in a file, for who watches. */
const [imagesFile = '', placeFile = '', seed = '', ...counts] = argv.slice(2);
const [first = 0, end = 0, step = 1] = counts.map(Number);
const images = deserialize(readFileSync(imagesFile)) as SeedImage[];
const place = openSync(placeFile, 'w');
const http = new HttpAttempts();
const registry = new RegistryAttempts();
/** What means something in text of a kind. */
const tokensOf: Partial<Record<Format, readonly string[]>> = { http: httpTokens, registry: registryTokens };

for (let run = first; run < end; run += step) {
  writeSync(place, run.toString().padEnd(20), 0);
  const random = numbers(`${seed}:${run}`);
  const image = images[below(random, images.length)];
  if (image === undefined) break;
  const original = Buffer.from(image.bytes);
  const tokens = tokensOf[image.format];
  const damaged = tokens === undefined ? mutate(original, random) : mutateText(original, tokens, random);
  try {
    if (image.format === 'http') await withinBudget(damaged.length, () => http.attempt(damaged, random));
    else if (image.format === 'registry') await withinBudget(damaged.length, () => registry.attempt(damaged));
    else await attempt(damaged, random);
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
