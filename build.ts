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

/**
 * Of undici the parts that exchange HTTP/1.1: its index loads those of a browser (fetch, WebSocket, caches) and the doubles for tests, too,
 * which take more memory at run time than all the rest of a controller's code. A name that is not among these fails the build.
 */
const onlyDispatchers: Plugin = {
  name: 'only-dispatchers',
  setup(bundler) {
    bundler.onResolve({ filter: /^undici$/ }, () => ({ path: 'undici', namespace: 'only-dispatchers' }));
    bundler.onLoad({ filter: /^undici$/, namespace: 'only-dispatchers' }, () => ({
      resolveDir: import.meta.dirname,
      contents: `
        import Dispatcher from 'undici/lib/dispatcher/dispatcher.js';
        import api from 'undici/lib/api/index.js';
        Object.assign(Dispatcher.prototype, api);
        export { default as Agent } from 'undici/lib/dispatcher/agent.js';
        export { default as Pool } from 'undici/lib/dispatcher/pool.js';
        export { default as ProxyAgent } from 'undici/lib/dispatcher/proxy-agent.js';
        export { default as Socks5ProxyAgent } from 'undici/lib/dispatcher/socks5-proxy-agent.js';
        // Named by parts of the Kubernetes client that are left out.
        export const fetch = globalThis.fetch;
      `,
    }));
  },
};

/** An import of node:http evaluates all of its getters, and one of them loads the WebSocket that comes with Node; to require it does not. */
const httpWithoutWebSocket: Plugin = {
  name: 'http-without-web-socket',
  setup(bundler) {
    bundler.onResolve({ filter: /^(node:)?http$/ }, ({ kind }) =>
      kind === 'import-statement' ? { path: 'http', namespace: 'required' } : undefined,
    );
    bundler.onLoad({ filter: /^http$/, namespace: 'required' }, () => ({
      contents: "module.exports = require('node:http');",
    }));
  },
};

/** Bundles the executable, and the thread that decompresses: chunks are loaded only when a role asks for them. */
await rm('dist', { recursive: true, force: true });
await build({
  entryPoints: [
    { in: 'src/main.ts', out: 'main' },
    { in: 'src/transfer/decompress/decoder-thread.ts', out: 'decoder-thread' },
  ],
  outdir: 'dist',
  bundle: true,
  splitting: true,
  plugins: [onlyWhatIsUsed, onlyDispatchers, httpWithoutWebSocket],
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
