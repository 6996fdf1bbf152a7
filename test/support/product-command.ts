import { join } from 'node:path';
import { repository } from '../cluster/folders.ts';

const compileCache = join(import.meta.dirname, 'compile-cache.ts');

/** Has Node keep what it makes of TypeScript; not for programs whose memory or speed is measured. */
export const cachedTypeScript: readonly string[] = ['--import', compileCache];

/** What Node is given to run the product from its sources, before the product's own arguments. */
export const productCommand: readonly string[] = [...cachedTypeScript, join(repository, 'src/main.ts')];
