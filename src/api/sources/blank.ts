import * as z from 'zod';
import type { ImportedSource } from './common/declaration.ts';

const schema = () => z.strictObject({}).describe('An empty disk. Written as {}.');

const request = z.strictObject({ type: z.literal('blank') });

/** A source without data, which makes a disk of zeros. */
export const blank: ImportedSource<'blank', ReturnType<typeof schema>, typeof request> = {
  name: 'blank',
  schema,
  population: 'import',
  noArchive: 'makes an empty disk',
  claimValue: 'none',
  toAnnotations: () => ({}),
  importer: { requests: [request], toRequest: () => ({ type: 'blank' }) },
};
