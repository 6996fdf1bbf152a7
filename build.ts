import { cp, rm } from 'node:fs/promises';
import { extname } from 'node:path';
import { build, type Plugin } from 'esbuild';

/** Of the Kubernetes client only what is used: its index loads every type of the API, which takes megabytes at run time. */
const onlyWhatIsUsed: Plugin = {
  name: 'only-what-is-used',
  setup(bundler) {
    const library = /node_modules\/@kubernetes\/client-node\//;
    bundler.onResolve({ filter: /^(\.|@kubernetes\/client-node$)/ }, async ({ path, pluginData, ...where }) => {
      if (pluginData === onlyWhatIsUsed || !(library.test(where.importer) || path.startsWith('@'))) return undefined;
      const resolved = await bundler.resolve(path, { ...where, pluginData: onlyWhatIsUsed });
      return { ...resolved, sideEffects: false };
    });
  },
};

/** Bundles the executable: one entry, and chunks that a role loads only when it is asked for. */
await rm('dist', { recursive: true, force: true });
await build({
  entryPoints: ['src/main.ts'],
  outdir: 'dist',
  bundle: true,
  splitting: true,
  plugins: [onlyWhatIsUsed],
  platform: 'node',
  target: 'node24',
  format: 'esm',
  sourcemap: 'linked',
  sourcesContent: false,
  legalComments: 'none',
  // The text of a module stays in memory. Names are kept, so that a stack tells where without the maps, which cost as much again.
  minifyWhitespace: true,
  minifySyntax: true,
  // Dependencies in CommonJS call require, which an ES module does not have by itself.
  banner: {
    js: "import { createRequire as createRequireOfNode } from 'node:module'; const require = createRequireOfNode(import.meta.url);",
  },
});

// What has native code of its own is loaded from where it is, and the sources of that code are of no use there.
const kept = new Set(['', '.cjs', '.js', '.json', '.node', '.txt']);
const skipped = new Set(['doc', 'lib', 'vendor', 'cnoke.cjs']);
for (const each of ['koffi', '@koromix']) {
  await cp(`node_modules/${each}`, `dist/node_modules/${each}`, {
    recursive: true,
    filter: (path) => kept.has(extname(path)) && !skipped.has(path.slice(`node_modules/${each}/`.length)),
  });
}
