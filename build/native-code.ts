import { cp, readdir, stat } from 'node:fs/promises';
import { extname, join, relative } from 'node:path';
import type { Plugin } from 'esbuild';

/** What has native code of its own is loaded from where it is. */
const packages = ['koffi', '@koromix'];

// The sources of that code are of no use there.
const kept = new Set(['', '.cjs', '.js', '.json', '.node', '.txt']);
const skipped = new Set(['doc', 'lib', 'vendor', 'cnoke.cjs']);

/**
 * Copies the packages with native code beside the bundle, and tells of their files in the metafile as of what is
 * bundled.
 */
export const nativeCode: Plugin = {
  name: 'native-code',
  setup(bundler) {
    const { outdir = '' } = bundler.initialOptions;
    bundler.initialOptions.metafile = true;
    bundler.onEnd(async ({ metafile, errors }) => {
      if (!metafile || errors.length > 0) return;
      for (const each of packages) {
        const from = join('node_modules', each);
        const to = join(outdir, from);
        await cp(from, to, {
          recursive: true,
          filter: (path) => kept.has(extname(path)) && !skipped.has(path.slice(from.length + 1)),
        });
        for (const file of await readdir(to, { recursive: true, withFileTypes: true })) {
          if (!file.isFile()) continue;
          const copy = join(file.parentPath, file.name);
          const { size: bytes } = await stat(copy);
          const inputs = { [relative(outdir, copy)]: { bytesInOutput: bytes } };
          metafile.outputs[copy] = { bytes, inputs, imports: [], exports: [] };
        }
      }
    });
  },
};
