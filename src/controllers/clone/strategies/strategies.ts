import type { CloneType } from '../../../api/clone.ts';
import { copy } from './copy.ts';
import { csiClone } from './csi-clone.ts';
import { snapshot } from './snapshot.ts';
import type { CloneStrategy } from './strategy.ts';

const strategies = { copy, snapshot, 'csi-clone': csiClone } as const satisfies Record<CloneType, CloneStrategy>;

/** The strategy where nothing else is configured. */
export const defaultStrategy: CloneStrategy = snapshot;

/** The strategy where an obstacle rules out the wanted one. */
export const fallbackStrategy: CloneStrategy = copy;

/** Returns the strategy with a name in the API. */
export const strategyOf = (cloneType: CloneType): CloneStrategy => strategies[cloneType];
