// Keeps what Node makes of TypeScript, for the process that it is imported into:
// node --import test/support/compile-cache.ts
import { enableCompileCache } from 'node:module';
import { compiled } from './compiled.ts';

enableCompileCache(compiled);
