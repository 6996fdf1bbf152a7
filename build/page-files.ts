import { cp, mkdir, stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { Plugin } from 'esbuild';

/** The page's own files, which are found beside the code that serves them. */
const own = { from: 'src/dashboard/page', to: 'page' };
/** What the page loads of a package: the file, what it is found by, and its licence. */
const foreign = ['package.json', 'LICENSE', 'dist/morphdom-esm.js'].map((file) => join('node_modules/morphdom', file));

/**
 * Copies what the dashboard's page loads beside the bundle, as it is, and tells of what is a package's in the metafile
 * as of what is bundled.
 */
export const pageFiles: Plugin = {
  name: 'page-files',
  setup(bundler) {
    const { outdir = '' } = bundler.initialOptions;
    bundler.initialOptions.metafile = true;
    bundler.onEnd(async ({ metafile, errors }) => {
      if (!metafile || errors.length > 0) return;
      await cp(own.from, join(outdir, own.to), { recursive: true });
      for (const file of foreign) {
        const copy = join(outdir, file);
        await mkdir(dirname(copy), { recursive: true });
        await cp(file, copy);
        const { size: bytes } = await stat(copy);
        const inputs = { [relative(outdir, copy)]: { bytesInOutput: bytes } };
        metafile.outputs[copy] = { bytes, inputs, imports: [], exports: [] };
      }
    });
  },
};
