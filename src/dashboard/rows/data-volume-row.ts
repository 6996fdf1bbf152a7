import { stateAnnotation } from '../../api/annotations.ts';
import type { DataVolume, DataVolumeCondition } from '../../api/data-volume.ts';
import { courseOf } from '../../api/reasons.ts';
import { givenSource, sources } from '../../api/sources.ts';
import { cloneViewOf } from '../../controllers/clone/view.ts';
import { reportOf } from '../../controllers/transfers/view.ts';
import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import { percentOf } from './percent.ts';
import type { ClaimDetails, Kind, Row, State, Why } from './row.ts';
import { sourceText } from './source-text.ts';

/** Phases in which something else has to happen first. */
const WAITING_PHASES = new Set(['', 'Pending', 'PVCBound', 'WaitForFirstConsumer', 'PendingPopulation', 'Paused']);

/**
 * Returns the row of a DataVolume. Pure.
 *
 * @param claim that has the DataVolume's name, if there is one
 */
export function dataVolumeRow(dataVolume: DataVolume, claim: PersistentVolumeClaim | undefined): Row {
  const { metadata, spec, status } = dataVolume;
  const { name = '', namespace = '', deletionTimestamp, creationTimestamp = '' } = metadata;
  const running = status?.conditions?.find(({ type }) => type === 'Running');
  const phase = deletionTimestamp ? 'Terminating' : status?.phase || 'Pending';
  const state = stateOf(phase, running);
  return {
    id: `datavolumes/${namespace}/${name}`,
    resource: 'datavolumes',
    kind: kindOf(dataVolume),
    namespace,
    name,
    state,
    phase,
    source: sourceText(spec, namespace),
    percent: state === 'done' ? undefined : percentOf(status?.progress),
    why: state === 'done' ? undefined : whyOf(running),
    details: claim && isOf(claim, dataVolume) ? detailsOf(claim) : strategyOf(dataVolume),
    created: Date.parse(creationTimestamp) || 0,
  };
}

/** Returns what a claim tells of the transfer into it. */
export function detailsOf(claim: PersistentVolumeClaim): ClaimDetails {
  const view = cloneViewOf(claim);
  const report = reportOf(claim);
  return {
    bytesPerSecond: report?.running ? report.bytesPerSecond : undefined,
    strategy: view?.strategy,
    plan: view?.plan,
    fallback: view?.fallbackReason,
  };
}

function strategyOf({ metadata }: DataVolume): ClaimDetails | undefined {
  const strategy = metadata.annotations?.[stateAnnotation.cloneType];
  return strategy === undefined ? undefined : { strategy };
}

function kindOf({ spec: { source, sourceRef } }: DataVolume): Kind {
  if (sourceRef) return 'clone';
  return givenSource(sources, source ?? {})?.population ?? 'other';
}

function stateOf(phase: string, running: DataVolumeCondition | undefined): State {
  if (phase === 'Failed') return 'failed';
  if (phase === 'Succeeded') return 'done';
  if (phase === 'Terminating' || WAITING_PHASES.has(phase)) return 'waiting';
  if (running?.status === 'True') return 'running';
  const course = courseOf(running?.reason ?? '');
  return course === undefined || course === 'ordinary' ? 'running' : 'waiting';
}

function whyOf(running: DataVolumeCondition | undefined): Why | undefined {
  const { reason = '', message = '' } = running ?? {};
  return reason || message ? { reason, message } : undefined;
}

/** Whether it is the DataVolume's own claim: another one may have its name. */
function isOf(claim: PersistentVolumeClaim, { metadata }: DataVolume): boolean {
  return claim.metadata?.ownerReferences?.some(({ uid }) => uid === metadata.uid) ?? false;
}
