import { join } from 'node:path';
import type { Plugin } from 'esbuild';

/**
 * Of the Kubernetes client the configuration: its indexes load every type of the API, which takes megabytes at run
 * time, and most of the time of a build. A name that is not among these fails the build.
 */
const onlyConfiguration: Plugin = {
  name: 'only-configuration',
  setup(bundler) {
    bundler.onLoad({ filter: /\/node_modules\/@kubernetes\/client-node\/dist\/index\.js$/ }, () => ({
      contents: "export { KubeConfig } from './config.js';",
    }));
    bundler.onLoad({ filter: /\/node_modules\/@kubernetes\/client-node\/dist\/gen\/index\.js$/ }, () => ({
      contents: `
        export { createConfiguration } from './configuration.js';
        export { ServerConfiguration } from './servers.js';
      `,
    }));
  },
};

/**
 * Of undici the parts that exchange HTTP/1.1: its index loads those of a browser (fetch, WebSocket, caches) and the
 * doubles for tests, too, which take more memory at run time than all the rest of a controller's code. A name that is
 * not among these fails the build.
 */
const onlyDispatchers: Plugin = {
  name: 'only-dispatchers',
  setup(bundler) {
    bundler.onLoad({ filter: /\/node_modules\/undici\/index\.js$/ }, () => ({
      contents: `
        import Dispatcher from './lib/dispatcher/dispatcher.js';
        import api from './lib/api/index.js';
        Object.assign(Dispatcher.prototype, api);
        export { default as Agent } from './lib/dispatcher/agent.js';
        export { default as Pool } from './lib/dispatcher/pool.js';
        export { default as ProxyAgent } from './lib/dispatcher/proxy-agent.js';
        export { default as Socks5ProxyAgent } from './lib/dispatcher/socks5-proxy-agent.js';
        // Named by parts of the Kubernetes client that are left out.
        export const fetch = globalThis.fetch;
      `,
    }));
  },
};

/**
 * An import of node:http evaluates all of its getters, and one of them loads the WebSocket that comes with Node; to
 * require it does not.
 */
const httpWithoutWebSocket: Plugin = {
  name: 'http-without-web-socket',
  setup(bundler) {
    bundler.onResolve({ filter: /^(node:)?http$/ }, ({ kind }) =>
      kind === 'import-statement' ? { path: join(import.meta.dirname, 'http.cjs') } : undefined,
    );
  },
};

/**
 * The Kubernetes client reads the answers of the programs that log in to clouds by an interpreter of JSON paths, which
 * evaluates code. kubectl has not had those logins since 1.26; those that it has, by `exec` and `oidc`, do not use it.
 */
const withoutJsonPaths: Plugin = {
  name: 'without-json-paths',
  setup(bundler) {
    bundler.onResolve({ filter: /^jsonpath-plus$/ }, () => ({ path: join(import.meta.dirname, 'json-path.cjs') }));
  },
};

/** What is left out of dependencies, because it costs and is never used. */
export const slimmerDependencies: Plugin[] = [
  onlyConfiguration,
  onlyDispatchers,
  httpWithoutWebSocket,
  withoutJsonPaths,
];
