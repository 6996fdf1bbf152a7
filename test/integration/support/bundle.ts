import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/**
 * Bundles a script of this folder, as the product is shipped: what translating TypeScript takes is not the product's.
 *
 * @returns the path of the bundle
 */
export async function bundle(script: string, directory: string): Promise<string> {
  const outfile = join(directory, script.replace('.ts', '.mjs'));
  await build({
    entryPoints: [fileURLToPath(new URL(script, import.meta.url))],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    banner: {
      js: "import { createRequire as createRequireOfNode } from 'node:module'; const require = createRequireOfNode(import.meta.url);",
    },
    logLevel: 'error',
  });
  return outfile;
}

/** Lets bundles in a folder load native libraries, as they do where the product is installed. */
export async function linkNativeLibraries(directory: string): Promise<void> {
  await symlink(fileURLToPath(new URL('../../../node_modules', import.meta.url)), join(directory, 'node_modules'));
}
