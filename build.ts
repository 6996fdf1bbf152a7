import { rm } from 'node:fs/promises';
import { build } from 'esbuild';

/** Bundles the executable: one entry, and chunks that a role loads only when it is asked for. */
await rm('dist', { recursive: true, force: true });
await build({
  entryPoints: ['src/main.ts'],
  outdir: 'dist',
  bundle: true,
  splitting: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  sourcemap: 'linked',
  sourcesContent: false,
  legalComments: 'none',
  // Dependencies in CommonJS call require, which an ES module does not have by itself.
  banner: {
    js: "import { createRequire as createRequireOfNode } from 'node:module'; const require = createRequireOfNode(import.meta.url);",
  },
});
