import { existsSync } from 'node:fs';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { slimmerDependencies } from '../../../build/slimmer-dependencies.ts';
import type { RoleProgram } from '../../integration/support/running-role.ts';

/** What a role of a copy is started by, as a script of the checkout's tests. */
const script = 'test/integration/support/role-process.ts';

/** Where the same was, and what the roles were called, when the upload server was the target of copies, too. */
const former = {
  script: 'test/integration/clone/role-process.ts',
  roles: new Map([
    ['copy-source', 'clone-source'],
    ['copy-target', 'upload-server'],
  ]),
  settings: ({ request: { server, ...request }, ...settings }: { request: { server?: string } }) => ({
    request: { ...request, ...(server !== undefined && { uploadServer: server }) },
    ...settings,
  }),
};

/** What runs the ends of a copy. */
export interface Ends extends RoleProgram {
  /** Whether one process can have both volumes. */
  readonly copiesInOnePod: boolean;
}

/**
 * Bundles what runs the two ends of a copy, as the product is bundled: what translating TypeScript takes is not the
 * product's.
 *
 * @param folder the top of a checkout with its dependencies
 * @param outdir is made
 */
export async function bundledEnds(folder: string, outdir: string): Promise<Ends> {
  const isFormer = !existsSync(join(folder, script));
  await mkdir(outdir);
  await symlink(join(folder, 'node_modules'), join(outdir, 'node_modules'));
  await build({
    absWorkingDir: folder,
    entryPoints: [{ in: isFormer ? former.script : script, out: 'role' }],
    outdir,
    bundle: true,
    splitting: true,
    plugins: slimmerDependencies,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    banner: {
      js: "import { createRequire as createRequireOfNode } from 'node:module'; const require = createRequireOfNode(import.meta.url);",
    },
    logLevel: 'error',
  });
  return {
    script: join(outdir, 'role.js'),
    copiesInOnePod: existsSync(join(folder, 'src/pods/copy-volume.ts')),
    ...(isFormer && {
      translate: (role, settings) => [
        former.roles.get(role) ?? role,
        former.settings(settings as Parameters<typeof former.settings>[0]),
      ],
    }),
  };
}
