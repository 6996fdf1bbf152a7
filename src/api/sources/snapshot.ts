import type { SourceDeclaration } from './common/declaration.ts';
import { objectInNamespace } from './common/volumes.ts';

const schema = () => objectInNamespace('VolumeSnapshot').describe('A snapshot to clone from.');

/** A snapshot of a claim. */
export const snapshot: SourceDeclaration<'snapshot', ReturnType<typeof schema>> = {
  name: 'snapshot',
  schema,
  population: 'clone',
};
