import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { populationAnnotation, stateAnnotation } from '../../api/annotations.ts';
import { parseQuantity } from '../../api/quantity.ts';
import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import type { Caches } from '../caches.ts';
import { phaseTimesAnnotation, workForAnnotation } from '../internal-annotations.ts';
import { populatedFrom } from '../populator/population.ts';
import { readReport } from '../transfer-report.ts';
import { phaseSeconds, readPhaseTimes } from './phase-times.ts';

const buckets = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200];

/** Registers the metrics of clones: of those that are under way, read when they are scraped, and of those that succeed from now on. */
export function registerCloneMetrics(registry: Registry, { claims }: Pick<Caches, 'claims'>): void {
  const registers = [registry];
  new Gauge({
    name: 'diskpress_clones_running',
    help: 'Clones that are not complete, by strategy and phase',
    labelNames: ['strategy', 'phase'],
    registers,
    collect() {
      this.reset();
      for (const claim of claims.list()) {
        if (isCloneTarget(claim) && !isComplete(claim)) {
          this.inc({ strategy: strategyOf(claim), phase: annotation(claim, stateAnnotation.clonePhase) ?? 'Pending' });
        }
      }
    },
  });
  const finished = new Counter({
    name: 'diskpress_clones_total',
    help: 'Clones that have succeeded, by strategy, and by why they fell back to copy; empty where they did not',
    labelNames: ['strategy', 'fallback_reason'],
    registers,
  });
  const capacity = new Counter({
    name: 'diskpress_clone_capacity_bytes_total',
    help: 'Capacity of the claims that have been cloned into',
    labelNames: ['strategy'],
    registers,
  });
  const duration = new Histogram({
    name: 'diskpress_clone_duration_seconds',
    help: 'From the creation of the claim to the success of its clone, waiting included',
    labelNames: ['strategy'],
    buckets,
    registers,
  });
  const phaseDuration = new Histogram({
    name: 'diskpress_clone_phase_duration_seconds',
    help: 'How long each phase of the clones that have succeeded took',
    labelNames: ['phase'],
    buckets,
    registers,
  });
  claims.onChange(({ type, object: claim, previous }) => {
    if (type !== 'modified' || !isCloneTarget(claim) || !isComplete(claim)) return;
    if (previous === undefined || isComplete(previous)) return;
    const strategy = strategyOf(claim);
    finished.inc({ strategy, fallback_reason: annotation(claim, stateAnnotation.cloneFallbackReason) ?? '' });
    capacity.inc({ strategy }, parseQuantity(claim.status?.capacity?.['storage'] ?? '0'));
    const times = readPhaseTimes(annotation(claim, phaseTimesAnnotation));
    const ended = times.at(-1)?.[1] ?? Date.now();
    duration.observe({ strategy }, Math.max(0, ended - Date.parse(claim.metadata?.creationTimestamp ?? '')) / 1000);
    for (const [phase, seconds] of phaseSeconds(times)) phaseDuration.observe({ phase }, seconds);
  });
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
  return annotation(claim, stateAnnotation.cloneType) ?? (isCopiedDirectly(claim) ? 'copy' : '');
}

function annotation(claim: PersistentVolumeClaim, name: string): string | undefined {
  return claim.metadata?.annotations?.[name];
}
