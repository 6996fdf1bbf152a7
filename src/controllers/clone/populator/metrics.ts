import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { populationAnnotation, stateAnnotation } from '../../../api/annotations.ts';
import { cloneFallbackReasons, clonePhases, cloneTypes } from '../../../api/clone.ts';
import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import type { Caches } from '../../runtime/caches.ts';
import type { CloneCount } from '../../runtime/clone-count.ts';
import { workForAnnotation } from '../../objects/internal-annotations.ts';
import { populatedFrom } from '../../claims/population/population.ts';
import { readReport } from '../../transfers/transfer-report.ts';
import { HandOvers } from './hand-overs.ts';
import { timesOf } from './phase-times.ts';

const buckets = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200];

/**
 * The metrics of clones: of those that are under way, read when they are scraped, and of those that succeed from now on, as the
 * reconcilers end them. Their labels are taken from claims, which users may write, and are of closed sets.
 */
export class CloneMetrics implements CloneCount {
  readonly #finished;
  readonly #capacity;
  readonly #duration;
  readonly #phaseDuration;
  readonly #handOvers: HandOvers;
  /** The uids of claims that have been copied into directly, while they are there: each counts once. */
  readonly #copied = new Set<string>();

  constructor(registry: Registry, { claims, volumes }: Pick<Caches, 'claims' | 'volumes'>) {
    const registers = [registry];
    new Gauge({
      name: 'diskpress_clones_running',
      help: 'Clones that are not complete, by strategy and phase',
      labelNames: ['strategy', 'phase'],
      registers,
      collect() {
        this.reset();
        for (const claim of claims.list()) {
          if (!isCloneTarget(claim) || isComplete(claim)) continue;
          const phase = oneOf(clonePhases, annotation(claim, stateAnnotation.clonePhase), 'Pending');
          this.inc({ strategy: strategyOf(claim), phase });
        }
      },
    });
    this.#finished = new Counter({
      name: 'diskpress_clones_total',
      help: 'Clones that have succeeded, by strategy, and by why they fell back to copy; empty where they did not',
      labelNames: ['strategy', 'fallback_reason'],
      registers,
    });
    this.#capacity = new Counter({
      name: 'diskpress_clone_capacity_bytes_total',
      help: 'Capacity of the volumes that have been cloned into',
      labelNames: ['strategy'],
      registers,
    });
    this.#duration = new Histogram({
      name: 'diskpress_clone_duration_seconds',
      help: 'From the creation of the claim to the success of its clone, waiting included',
      labelNames: ['strategy'],
      buckets,
      registers,
    });
    this.#phaseDuration = new Histogram({
      name: 'diskpress_clone_phase_duration_seconds',
      help: 'How long each phase of the clones that have succeeded took',
      labelNames: ['phase'],
      buckets,
      registers,
    });
    this.#handOvers = new HandOvers({ claims, volumes });
    claims.onChange(({ type, object }) => {
      if (type === 'deleted') this.#copied.delete(object.metadata?.uid ?? '');
    });
  }

  /** Counts only where this process has seen a volume being handed over to the claim: what that itself says is no evidence. */
  handedOver(claim: PersistentVolumeClaim, now: number): void {
    const capacity = this.#handOvers.take(claim);
    if (capacity !== undefined) this.#count(claim, capacity, now);
  }

  /** Counts each claim once. A working claim is no clone of its own. */
  copied(claim: PersistentVolumeClaim, now: number): void {
    const uid = claim.metadata?.uid ?? '';
    if (!isCloneTarget(claim) || populatedFrom(claim, 'VolumeCloneSource') || this.#copied.has(uid)) return;
    this.#copied.add(uid);
    this.#count(claim, this.#handOvers.capacityOf(claim), now);
  }

  #count(claim: PersistentVolumeClaim, capacity: number, now: number): void {
    const strategy = strategyOf(claim);
    const reason = oneOf(cloneFallbackReasons, annotation(claim, stateAnnotation.cloneFallbackReason), '');
    this.#finished.inc({ strategy, fallback_reason: reason });
    this.#capacity.inc({ strategy }, capacity);
    const { whole, phases } = timesOf(claim, now);
    this.#duration.observe({ strategy }, whole);
    for (const [phase, seconds] of phases) this.#phaseDuration.observe({ phase }, seconds);
  }
}

/** A claim that is cloned into for somebody, and not one that only helps on the way. */
function isCloneTarget(claim: PersistentVolumeClaim): boolean {
  if (annotation(claim, workForAnnotation) !== undefined) return false;
  return isCopiedDirectly(claim) || populatedFrom(claim, 'VolumeCloneSource') !== undefined;
}

function isCopiedDirectly(claim: PersistentVolumeClaim): boolean {
  return annotation(claim, populationAnnotation.cloneRequest) !== undefined;
}

function isComplete(claim: PersistentVolumeClaim): boolean {
  if (isCopiedDirectly(claim)) return readReport(claim.metadata?.annotations)?.podPhase === 'Succeeded';
  return annotation(claim, stateAnnotation.clonePhase) === 'Succeeded';
}

function strategyOf(claim: PersistentVolumeClaim): string {
  return oneOf(cloneTypes, annotation(claim, stateAnnotation.cloneType), isCopiedDirectly(claim) ? 'copy' : '');
}

/** The value where it is one of those, `other` where it is not, and what stands for none where there is none. */
function oneOf(known: readonly string[], value: string | undefined, none: string): string {
  if (value === undefined) return none;
  return known.includes(value) ? value : 'other';
}

function annotation(claim: PersistentVolumeClaim, name: string): string | undefined {
  return claim.metadata?.annotations?.[name];
}
