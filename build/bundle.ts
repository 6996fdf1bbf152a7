import { rm } from 'node:fs/promises';
import { build } from 'esbuild';
import { billOfMaterials } from './bill-of-materials.ts';
import { nativeCode } from './native-code.ts';
import { pageFiles } from './page-files.ts';
import { slimmerDependencies } from './slimmer-dependencies.ts';
import { thirdPartyLicences } from './third-party-licences.ts';

/**
 * Bundles the executable, and the thread that decompresses: chunks are loaded only when a role asks for them. Beside
 * them come the bill of materials and the licences of what is in them.
 *
 * @param outdir is made anew
 */
export async function bundle(outdir: string): Promise<void> {
  await rm(outdir, { recursive: true, force: true });
  await build({
    entryPoints: [
      { in: 'src/main.ts', out: 'main' },
      { in: 'src/codec/decompress/decoder-thread.ts', out: 'decoder-thread' },
    ],
    outdir,
    bundle: true,
    splitting: true,
    // The last ones tell what the others have come to, and are called in this order.
    plugins: [...slimmerDependencies, nativeCode, pageFiles, billOfMaterials, thirdPartyLicences],
    platform: 'node',
    target: 'node24',
    format: 'esm',
    // Licences are in a file of their own.
    legalComments: 'none',
    // The text of a module stays in memory. Names are kept, so that a stack tells where without maps, which would cost
    // as much again.
    minifyWhitespace: true,
    minifySyntax: true,
    // Dependencies in CommonJS call require, which an ES module does not have by itself.
    banner: {
      js: "import { createRequire as createRequireOfNode } from 'node:module'; const require = createRequireOfNode(import.meta.url);",
    },
  });
}
