import type { CloneType } from '../../../api/clone.ts';
import { formatBytes } from '../../../base/format-bytes.ts';
import type { CloneFacts } from '../strategies/clone-facts.ts';
import { defaultStrategy, fallbackStrategy, strategyOf } from '../strategies/strategies.ts';
import type { CloneStrategy, Fallback, WorkingPhase } from '../strategies/strategy.ts';

/** How a clone is made: its strategy, the reason for it, and its phases in order. */
export interface ClonePlan {
  readonly cloneType: CloneType;
  readonly phases: readonly WorkingPhase[];
  readonly fallback: Fallback | undefined;
  /** The plan for people: "csi-clone, then expand to 2 GiB, then rebind into team-a". */
  readonly description: string;
}

/**
 * Chooses how a clone is made. This is a pure function: the same facts give the same plan.
 *
 * The strategy is the override of the CDI resource, else the wish of the claim's author, else that of the
 * StorageProfile, else the default one. Where an obstacle rules it out, the clone falls back to a copy.
 */
export function planClone(facts: CloneFacts): ClonePlan {
  const wanted = wantedStrategy(facts);
  const fallback = firstObstacle(facts, wanted);
  const strategy = fallback ? fallbackStrategy : wanted;
  return {
    cloneType: strategy.cloneType,
    phases: strategy.phases[facts.source.kind],
    fallback,
    description: describe(strategy, facts),
  };
}

function wantedStrategy({ override, wish, profile, source }: CloneFacts): CloneStrategy {
  const named = override ?? wish ?? profile;
  const wanted = named === undefined ? defaultStrategy : strategyOf(named);
  const instead = source.kind === 'VolumeSnapshot' ? wanted.ofSnapshots : undefined;
  return instead === undefined ? wanted : strategyOf(instead);
}

function firstObstacle(facts: CloneFacts, { obstacles }: CloneStrategy): Fallback | undefined {
  for (const obstacle of obstacles) {
    const found = obstacle(facts);
    if (found) return found;
  }
  return undefined;
}

function describe(strategy: CloneStrategy, facts: CloneFacts): string {
  const { byStorage } = strategy;
  const { source, target } = facts;
  const steps = [byStorage ? strategy.description[source.kind] : describeCopy(strategy, facts)];
  if (byStorage && source.capacity > 0 && target.request > source.capacity) {
    steps.push(`expand to ${formatBytes(target.request)}`);
  }
  steps.push(`rebind into ${target.namespace}`);
  return steps.join(', then ');
}

function describeCopy({ description }: CloneStrategy, facts: CloneFacts): string {
  const { source, copiedBefore, readsAllocatedOnly } = facts;
  if (copiedBefore !== undefined) return `copy of what has changed since ${copiedBefore}`;
  // By how many pods is decided when they are made, and again where one does not get both volumes.
  return `${description[source.kind]}${readsAllocatedOnly ? ' of what is allocated' : ''}`;
}
