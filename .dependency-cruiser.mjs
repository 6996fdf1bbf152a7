/** The layers of the product, and which may know which. Dependencies point downwards only. */
const layer = (name, mayUse) => ({
  name: `${name}-depends-only-on-${mayUse.join('-') || 'nothing'}`,
  severity: 'error',
  from: { path: `^src/${name}/` },
  to: { path: '^src/', pathNot: [`^src/${name}/`, ...mayUse.map((other) => `^src/${other}/`)] },
});

export default {
  forbidden: [
    layer('api', []),
    layer('log', []),
    layer('kube', ['log']),
    layer('transfer', []),
    layer('controllers', ['api', 'kube', 'log']),
    layer('pods', ['api', 'transfer', 'log']),
    layer('cli', ['controllers', 'kube', 'api', 'transfer', 'log']),
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'transfer-knows-nothing-of-kubernetes',
      severity: 'error',
      from: { path: '^src/(transfer|pods|cli|log)/' },
      to: { path: '@kubernetes/client-node' },
    },
    {
      name: 'product-does-not-use-development-dependencies',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
  },
};
