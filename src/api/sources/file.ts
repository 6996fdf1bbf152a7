import * as z from 'zod';
import { populationAnnotation as names } from '../annotations.ts';
import { constrained } from '../constraint.ts';
import type { ImportedSource } from './common/declaration.ts';
import { refusalOfFiles } from './common/file-gate.ts';

const OUTSIDE_PATTERN = '^/|(^|/)[.][.](/|$)';

const MESSAGE = 'path must be relative to the folder of source files, and without ..';
const isBelow = (path: string): boolean => !new RegExp(OUTSIDE_PATTERN).test(path);

const schema = () =>
  z
    .strictObject({
      path: constrained(z.string().min(1).max(1024), [
        { rule: `!self.matches('${OUTSIDE_PATTERN}')`, message: MESSAGE, check: isBelow },
      ]).describe("Path of the image below /var/lib/diskpress/sources in the importer's container."),
    })
    .describe(
      "A disk image or archive that is in the image of the importer's container. Needs the feature gate FileSource.",
    );

const request = z.strictObject({
  type: z.literal('file'),
  /** Path below SOURCE_FILES_DIRECTORY. */
  path: z.string(),
});

/** A file that an administrator has added to the importer's own container. */
export const file: ImportedSource<'file', ReturnType<typeof schema>, typeof request> = {
  name: 'file',
  schema,
  population: 'import',
  claimValue: 'file',
  toAnnotations: ({ path }) => ({ [names.importEndpoint]: path }),
  importer: {
    requests: [request],
    toRequest(annotations, settings) {
      const path = annotations[names.importEndpoint] ?? '';
      const refusal = refusalOfFiles(settings);
      if (refusal) return refusal;
      return isBelow(path) ? { type: 'file', path } : { refusal: `${MESSAGE}, unlike ${path}` };
    },
  },
};
