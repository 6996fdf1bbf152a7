import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { cloneFallbackReasons, clonePhases, cloneTypes } from '../../../api/clone.ts';
import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import type { Caches } from '../../runtime/caches.ts';
import { type CloneView, cloneViewOf } from '../view.ts';
import type { CloneCount } from './clone-count.ts';
import { HandOvers } from './hand-overs.ts';
import { timesOf } from './phase-times.ts';

const buckets = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200];

/**
 * The metrics of clones: of those under way, computed at each scrape, and of those that succeed from now on, as
 * reported by the reconcilers. Labels come from claims, which users may write, so their values are restricted to closed
 * sets.
 */
export class CloneMetrics implements CloneCount {
  readonly #finished;
  readonly #capacity;
  readonly #duration;
  readonly #phaseDuration;
  readonly #handOvers: HandOvers;
  /** The uids of existing claims that have been copied into directly, each of which is counted once. */
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
          const view = cloneViewOf(claim);
          if (!view || view.isComplete) continue;
          this.inc({ strategy: strategyOf(view), phase: oneOf(clonePhases, view.phase, 'Pending') });
        }
      },
    });
    this.#finished = new Counter({
      name: 'diskpress_clones_total',
      help: 'Clones that have succeeded, by strategy, and by why they fell back to copy; empty where they did not',
      labelNames: ['strategy', 'fallback_reason'],
      registers,
    });
    // What a counter has when it is first seen is no increase, and the first fall-back should be noticed.
    for (const reason of cloneFallbackReasons) this.#finished.inc({ strategy: 'copy', fallback_reason: reason }, 0);
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

  /**
   * Counts a clone only where this process has seen a volume being handed over to the claim, because the claim's own
   * annotations are not evidence.
   */
  handedOver(claim: PersistentVolumeClaim, now: number): void {
    const capacity = this.#handOvers.take(claim);
    const view = cloneViewOf(claim);
    if (capacity !== undefined && view) this.#count(claim, view, capacity, now);
  }

  /** Counts each claim once, but no working claims, which are not clones of their own. */
  copied(claim: PersistentVolumeClaim, now: number): void {
    const uid = claim.metadata?.uid ?? '';
    const view = cloneViewOf(claim);
    if (!view?.isDirect || this.#copied.has(uid)) return;
    this.#copied.add(uid);
    this.#count(claim, view, this.#handOvers.capacityOf(claim), now);
  }

  #count(claim: PersistentVolumeClaim, view: CloneView, capacity: number, now: number): void {
    const strategy = strategyOf(view);
    this.#finished.inc({ strategy, fallback_reason: oneOf(cloneFallbackReasons, view.fallbackReason, '') });
    this.#capacity.inc({ strategy }, capacity);
    const { whole, phases } = timesOf(claim, now);
    this.#duration.observe({ strategy }, whole);
    for (const [phase, seconds] of phases) this.#phaseDuration.observe({ phase }, seconds);
  }
}

function strategyOf({ strategy, isDirect }: CloneView): string {
  return oneOf(cloneTypes, strategy, isDirect ? 'copy' : '');
}

/** Returns the value where it is a known one, `other` where it is not, and `none` where there is no value. */
function oneOf(known: readonly string[], value: string | undefined, none: string): string {
  if (value === undefined) return none;
  return known.includes(value) ? value : 'other';
}
