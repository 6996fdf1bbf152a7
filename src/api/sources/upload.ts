import * as z from 'zod';
import type { SourceDeclaration } from './common/declaration.ts';

const schema = () => z.strictObject({}).describe('Wait for a client to upload the data. Written as {}.');

/** Data that a client uploads. */
export const upload: SourceDeclaration<'upload', ReturnType<typeof schema>> = {
  name: 'upload',
  schema,
  population: 'upload',
};
