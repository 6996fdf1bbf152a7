export type { KubernetesBinaries } from './parts.ts';
export { buildParts, corednsBinary, csiParts, kubernetesBinaries } from './parts.ts';
