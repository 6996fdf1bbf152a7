import type { CloneFallbackReason, ClonePhase, CloneType } from '../../../api/clone.ts';
import type { CloneSourceKind } from '../source/source.ts';
import type { CloneFacts } from './clone-facts.ts';
import type { TemporaryName } from './temporaries.ts';

/** A phase in which something is made, as opposed to Pending, Succeeded and Error. */
export type WorkingPhase = Exclude<ClonePhase, 'Pending' | 'Succeeded' | 'Error'>;

/** Why a clone is copied although another strategy was wanted. */
export interface Fallback {
  readonly reason: CloneFallbackReason;
  readonly message: string;
}

/** What stands against a strategy with the facts that there are, if anything. Pure. */
export type Obstacle = (facts: CloneFacts) => Fallback | undefined;

/** A way to clone, and all that is asked of it: whatever is shared by the strategies asks here, and goes by no name. */
export interface CloneStrategy {
  readonly cloneType: CloneType;
  /** Whether the storage makes the clone at the source's size: it grows afterwards, and no pod reads or writes data. */
  readonly byStorage: boolean;
  /** What clones a snapshot instead, where this strategy only clones volumes. */
  readonly ofSnapshots?: CloneType;
  /** What can stand against it, most telling first. */
  readonly obstacles: readonly Obstacle[];
  /** The first steps in words; expansion and rebind follow. */
  readonly description: Readonly<Record<CloneSourceKind, string>>;
  /** What it goes through. A clone that was begun does so whatever has become of the facts meanwhile. */
  readonly phases: Readonly<Record<CloneSourceKind, readonly WorkingPhase[]>>;
  /** What its phases make beside the source, and its clean-up removes. */
  readonly temporaries: readonly TemporaryName[];
  /** Which of them a snapshot is restored into. */
  readonly restoresInto: Extract<TemporaryName, 'workingClaim' | 'temporarySourceClaim'>;
}
