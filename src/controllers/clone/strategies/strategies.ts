import type { CloneType } from '../../../api/clone.ts';
import { copy } from './copy.ts';
import { csiClone } from './csi-clone.ts';
import { snapshot } from './snapshot.ts';
import type { CloneStrategy } from './strategy.ts';

const strategies = { copy, snapshot, 'csi-clone': csiClone } as const satisfies Record<CloneType, CloneStrategy>;

/** What clones where nobody has said how. */
export const defaultStrategy: CloneStrategy = snapshot;

/** What clones where something stands against the strategy that was wanted. */
export const fallbackStrategy: CloneStrategy = copy;

/** The strategy of a name of the API. */
export const strategyOf = (cloneType: CloneType): CloneStrategy => strategies[cloneType];
