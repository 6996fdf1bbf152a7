import type { CloneFallbackReason, ClonePhase, CloneType } from '../../../api/clone.ts';
import type { CloneSourceKind } from '../source/source.ts';
import type { CloneFacts } from './clone-facts.ts';
import type { TemporaryName } from './temporaries.ts';

/** A phase that does work, as opposed to Pending, Succeeded and Error. */
export type WorkingPhase = Exclude<ClonePhase, 'Pending' | 'Succeeded' | 'Error'>;

/** The reason for which a clone is copied although another strategy was wanted. */
export interface Fallback {
  readonly reason: CloneFallbackReason;
  readonly message: string;
}

/** A pure function that returns why the facts rule out a strategy; undefined where they do not. */
export type Obstacle = (facts: CloneFacts) => Fallback | undefined;

/**
 * A way to clone. It declares the answers that shared code needs, so that no shared code branches on the name of a
 * strategy.
 */
export interface CloneStrategy {
  readonly cloneType: CloneType;
  /**
   * Whether the storage makes the clone, at the source's size: it is expanded afterwards, and no pod reads or writes
   * data.
   */
  readonly byStorage: boolean;
  /** The clone type for snapshots, where this strategy only clones volumes. */
  readonly ofSnapshots?: CloneType;
  /** The possible obstacles, the most informative first. */
  readonly obstacles: readonly Obstacle[];
  /** The first steps of the plan's description; expansion and rebind follow. */
  readonly description: Readonly<Record<CloneSourceKind, string>>;
  /** The phases of a clone with this strategy. Once begun, a clone keeps them, even where the facts change. */
  readonly phases: Readonly<Record<CloneSourceKind, readonly WorkingPhase[]>>;
  /** The objects that the phases create beside the source, and that the clean-up removes. */
  readonly temporaries: readonly TemporaryName[];
  /** The temporary claim into which a snapshot is restored. */
  readonly restoresInto: Extract<TemporaryName, 'workingClaim' | 'temporarySourceClaim'>;
}
