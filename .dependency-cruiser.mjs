/** The rooms of the product, each with those that it may know. Dependencies point downwards only. */
const rooms = {
  base: [],
  server: ['base'],
  api: ['base'],
  protocol: ['base', 'api'],
  kube: ['base', 'server'],
  rendering: ['base', 'api', 'kube'],
  codec: ['base'],
  image: ['base', 'server', 'codec'],
  source: ['base', 'codec', 'image'],
  sink: ['base'],
  'snapshot-metadata': ['base', 'protocol'],
  transfer: ['base', 'server', 'codec', 'image', 'source', 'sink'],
  pods: ['base', 'server', 'protocol', 'source', 'sink', 'transfer', 'image'],
  controllers: ['base', 'server', 'api', 'protocol', 'kube', 'rendering', 'source/versions', 'snapshot-metadata'],
  dashboard: ['base', 'api', 'kube', 'controllers'],
  services: ['base', 'server', 'api', 'protocol', 'kube', 'rendering', 'dashboard'],
  installation: ['base', 'api', 'protocol', 'kube'],
  cli: ['base', 'server', 'api', 'kube', 'image', 'source', 'sink', 'transfer', 'controllers', 'dashboard'],
};

/** The rooms of the controllers: what all of them stand on, then one for each thing that is reconciled. */
const controllerRooms = {
  references: [],
  progress: [],
  objects: [],
  runtime: ['progress', 'objects'],
  claims: ['objects', 'runtime'],
  transfers: ['objects', 'progress', 'runtime', 'claims'],
  cdi: ['objects', 'runtime'],
  certificates: ['objects', 'runtime'],
  monitoring: ['objects', 'runtime'],
  'upload-proxy-url': ['runtime'],
  'storage-profile': ['objects', 'runtime', 'claims'],
  'data-source': ['references', 'objects', 'runtime', 'claims', 'transfers'],
  orphans: ['objects', 'runtime', 'claims'],
  temporary: ['objects', 'runtime', 'claims'],
  import: ['objects', 'runtime', 'claims', 'transfers'],
  'changed-blocks': ['progress', 'runtime'],
  'image-polls': ['progress', 'runtime', 'import/importer'],
  'data-import-cron': ['objects', 'runtime', 'claims', 'transfers', 'image-polls'],
  upload: ['objects', 'progress', 'runtime', 'claims', 'transfers'],
  clone: ['references', 'objects', 'runtime', 'claims', 'transfers', 'progress', 'changed-blocks'],
  'data-volume': [
    ...['references', 'objects', 'runtime', 'claims', 'transfers', 'data-source'],
    ...['clone/source', 'clone/planner', 'clone/grants', 'import/importer', 'import/stages', 'upload/server'],
  ],
  takeover: ['objects', 'claims', 'transfers', 'import/importer', 'upload/server', 'data-volume'],
};

const cloneRooms = {
  source: [],
  metrics: ['view.ts'],
  bases: [],
  strategies: ['source'],
  planner: ['source', 'strategies', 'bases'],
  grants: ['source'],
  phases: ['source', 'strategies', 'planner', 'bases'],
  copy: ['source', 'planner', 'grants', 'metrics', 'bases'],
  populator: ['source', 'strategies', 'planner', 'grants', 'phases', 'metrics', 'view.ts'],
};

const rules = (folder, among) =>
  Object.entries(among).map(([room, mayKnow]) => ({
    name: `${folder.replace('src/', '')}${room}-knows-only-${mayKnow.join('-') || 'itself'}`,
    severity: 'error',
    from: { path: `^${folder}${room}/` },
    to: {
      path: `^${folder}`,
      pathNot: [room, ...mayKnow].map((other) => `^${folder}${other}${other.endsWith('.ts') ? '$' : '/'}`),
    },
  }));

export default {
  forbidden: [
    ...rules('src/', rooms),
    ...rules('src/controllers/', controllerRooms),
    ...rules('src/controllers/clone/', cloneRooms),
    {
      name: 'every-file-has-a-room',
      severity: 'error',
      from: { path: '^src/', pathNot: [`^src/(${Object.keys(rooms).join('|')})/`, '^src/main\\.ts$'] },
      to: {},
    },
    {
      name: 'the-command-line-and-the-dashboard-look-at-clones-and-transfers-through-their-views',
      severity: 'error',
      from: { path: '^src/(cli|dashboard)/' },
      to: {
        path: '^src/controllers/',
        pathNot: [
          '^src/controllers/((clone|transfers)/view|takeover/(contents|fate|outlooks)|runtime/resources)\\.ts$',
        ],
      },
    },
    {
      name: 'only-polls-of-images-speak-to-the-servers-of-sources',
      severity: 'error',
      from: { path: '^src/controllers/', pathNot: '^src/controllers/image-polls/' },
      to: { path: '^src/source/' },
    },
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-circular-folders', scope: 'folder', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'transfers-know-nothing-of-kubernetes',
      severity: 'error',
      from: { path: '^src/(base|codec|image|source|sink|transfer|pods|cli)/' },
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
