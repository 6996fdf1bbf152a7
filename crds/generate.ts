import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crdFiles } from './files.ts';

/** Writes the manifests of every custom resource into this folder. */
for (const [name, text] of crdFiles()) await writeFile(join(import.meta.dirname, name), text);
