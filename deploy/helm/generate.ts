import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CHART, chartFiles, strayTemplates } from './chart-files.ts';

/** Writes the generated files of the chart, and removes those whose manifests are gone. */
for (const name of strayTemplates()) await rm(join(CHART, name));
for (const [name, text] of chartFiles()) {
  await mkdir(dirname(join(CHART, name)), { recursive: true });
  await writeFile(join(CHART, name), text);
}
