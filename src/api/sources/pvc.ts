import type { SourceDeclaration } from './common/declaration.ts';
import { objectInNamespace } from './common/volumes.ts';

const schema = () => objectInNamespace('PersistentVolumeClaim').describe('A claim to clone.');

/** Another claim. */
export const pvc: SourceDeclaration<'pvc', ReturnType<typeof schema>> = { name: 'pvc', schema, population: 'clone' };
