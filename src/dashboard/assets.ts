import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A file that the page loads. */
export interface Asset {
  readonly type: string;
  readonly body: Buffer;
}

const JAVASCRIPT = 'text/javascript; charset=utf-8';

/** Each file by its name in the address of the page: where it is, and what it is. */
const files: Readonly<Record<string, { readonly path: () => string; readonly type: string }>> = {
  'page.css': { path: () => own('page.css'), type: 'text/css; charset=utf-8' },
  'page.js': { path: () => own('page.js'), type: JAVASCRIPT },
  'icon.svg': { path: () => own('icon.svg'), type: 'image/svg+xml' },
  'morphdom.js': {
    path: () => fileURLToPath(import.meta.resolve('morphdom/dist/morphdom-esm.js')),
    type: JAVASCRIPT,
  },
};

/** They are beside this module, also where it has been bundled. */
const own = (name: string) => join(import.meta.dirname, 'page', name);

/** Reads what the page loads, by name. @throws Error where a file is missing */
export async function readAssets(): Promise<ReadonlyMap<string, Asset>> {
  const read = Object.entries(files).map(
    async ([name, { path, type }]) => [name, { type, body: await readFile(path()) }] as const,
  );
  return new Map(await Promise.all(read));
}
