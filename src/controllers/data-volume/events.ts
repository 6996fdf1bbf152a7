import type { DataVolume } from '../../api/data-volume.ts';
import type { DataVolumePhase } from '../../api/phases.ts';
import { courseOf, isFailureEventReason } from '../../api/reasons.ts';
import { keyOf, keyToString } from '../../kube/key.ts';
import { isStepMessage } from '../clone/planner/step-message.ts';
import { PAUSED_REASON, pausedMessage } from '../transfers/transfer-stages.ts';
import type { Observation, ObservedCondition } from './observation.ts';
import type { SourceKind } from './source-kind.ts';

/** An event about a change of a DataVolume's status. */
export interface DataVolumeEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

/**
 * The phases whose events clients rely on, even where a fast transfer skipped some of them between two observations.
 */
const MILESTONES: Readonly<Partial<Record<SourceKind, readonly DataVolumePhase[]>>> = {
  import: ['ImportScheduled', 'ImportInProgress', 'Succeeded'],
  upload: ['UploadScheduled', 'UploadReady', 'Succeeded'],
};

/** The same for the end of a stage of a multi-stage import. */
const PAUSED_MILESTONES: readonly DataVolumePhase[] = ['ImportScheduled', 'ImportInProgress', 'Paused'];

/** The phases in which a clone may still be when its plan is first observed. */
const BEFORE_PLAN: readonly DataVolumePhase[] = [
  '',
  'Pending',
  'PendingPopulation',
  'WaitForFirstConsumer',
  'CloneScheduled',
];

/**
 * Returns the events that lead from a DataVolume's recorded status to its observed one. This is a pure function.
 *
 * @param plan description of how the claim is being cloned, once that is decided
 */
export function eventsOf(
  dataVolume: DataVolume,
  observed: Observation,
  kind: SourceKind,
  plan?: string,
): DataVolumeEvent[] {
  const previous = dataVolume.status;
  const before = previous?.phase ?? '';
  const name = observed.claimName;
  const events: DataVolumeEvent[] = [];
  const condition = (type: string) => observed.conditions.find((candidate) => candidate.type === type);
  const recorded = (type: string) => previous?.conditions?.find((candidate) => candidate.type === type);

  const isPlanNew =
    plan !== undefined && !isStepMessage(recorded('Running')?.message ?? '') && BEFORE_PLAN.includes(before);
  if (isPlanNew && observed.phase === 'Succeeded') {
    // The clone was over before anybody could see it, so one event tells all of it.
    const { reason, message } = success(dataVolume, name, kind);
    return [{ type: 'Normal', reason, message: `${message}: ${plan}` }];
  }
  if (condition('Bound')?.status === 'True' && recorded('Bound')?.status !== 'True') {
    events.push({ type: 'Normal', reason: 'Bound', message: `PVC ${name} Bound` });
  }
  const running = condition('Running');
  if (observed.phase === 'Failed') {
    if (before !== 'Failed') events.push({ type: 'Warning', ...failureOf(condition('Bound'), running, kind) });
    return events;
  }
  if (running && isTrouble(running, observed.phase) && recorded('Running')?.reason !== running.reason) {
    // A problem that resolves itself does not deserve a warning.
    const type = running.reason === 'Retrying' ? 'Normal' : 'Warning';
    events.push({ type, reason: running.reason, message: running.message });
  }
  if (isPlanNew) events.push({ type: 'Normal', reason: 'CloneScheduled', message: `Clone into ${name}: ${plan}` });
  if (observed.phase !== before && !(isPlanNew && observed.phase === 'CloneScheduled')) {
    events.push(...milestones(dataVolume, before, observed.phase, name, kind, running?.message ?? ''));
  }
  return events;
}

/**
 * Returns the reason and the message of a failure. The reason is that of the cause where the API defines it as an event
 * reason, and else says which kind of work has failed.
 */
function failureOf(
  bound: ObservedCondition | undefined,
  running: ObservedCondition | undefined,
  kind: SourceKind,
): { reason: string; message: string } {
  const cause = [running, bound].find((candidate) => candidate && isFailureEventReason(candidate.reason));
  const fallback = kind === 'clone' ? 'CloneFailed' : kind === 'upload' ? 'UploadFailed' : 'ImportFailed';
  return {
    reason: cause?.reason ?? fallback,
    message: cause?.message ?? running?.message ?? '',
  };
}

function milestones(
  dataVolume: DataVolume,
  before: DataVolumePhase,
  now: DataVolumePhase,
  name: string,
  kind: SourceKind,
  detail: string,
): DataVolumeEvent[] {
  const expected = now === 'Paused' ? PAUSED_MILESTONES : MILESTONES[kind];
  if (expected?.includes(now)) {
    const passed = expected.slice(expected.indexOf(before) + 1, expected.indexOf(now) + 1);
    return passed.map((phase) => milestone(dataVolume, phase, name, kind, ''));
  }
  return now === '' ? [] : [milestone(dataVolume, now, name, kind, detail)];
}

function milestone(
  dataVolume: DataVolume,
  phase: DataVolumePhase,
  name: string,
  kind: SourceKind,
  detail: string,
): DataVolumeEvent {
  const type = 'Normal';
  switch (phase) {
    case 'ImportScheduled':
      return { type, reason: phase, message: `Import into ${name} scheduled` };
    case 'ImportInProgress':
      return { type, reason: phase, message: `Import into ${name} in progress` };
    case 'Paused':
      return { type, reason: PAUSED_REASON, message: pausedMessage(name) };
    case 'UploadScheduled':
      return { type, reason: phase, message: `Upload into ${name} scheduled` };
    case 'UploadReady':
      return { type, reason: phase, message: `Upload into ${name} ready to start` };
    case 'CloneScheduled':
      return { type, reason: phase, message: `Clone into ${name} scheduled` };
    case 'Succeeded':
      return { type, ...success(dataVolume, name, kind) };
    case 'Pending':
      return { type, reason: phase, message: `PVC ${name} Pending` };
    default:
      return { type, reason: phase, message: detail || `${phase} of ${name}` };
  }
}

/** Returns the reason and the message of a success, in the wording that clients of the API know. */
function success(dataVolume: DataVolume, name: string, kind: SourceKind): { reason: string; message: string } {
  switch (kind) {
    case 'clone': {
      const into = keyToString(keyOf(dataVolume));
      return { reason: 'CloneSucceeded', message: `Successfully cloned from ${clonedFrom(dataVolume)} into ${into}` };
    }
    case 'external-population': {
      const { dataSourceRef, dataSource } = dataVolume.spec.pvc ?? dataVolume.spec.storage ?? {};
      const by = dataSourceRef ?? dataSource;
      const message = `PVC ${name} successfully populated by ${by?.kind} ${by?.name}`;
      return { reason: 'ExternalPopulationSucceeded', message };
    }
    case 'upload':
      return { reason: 'UploadSucceeded', message: `Successfully uploaded into ${name}` };
    case 'import':
      return { reason: 'ImportSucceeded', message: `Successfully imported into PVC ${name}` };
  }
}

/** Returns the name of the object that the DataVolume clones: a claim, a snapshot, or a DataSource. */
function clonedFrom({ spec, metadata }: DataVolume): string {
  const { name = '', namespace } = spec.source?.pvc ?? spec.source?.snapshot ?? spec.sourceRef ?? {};
  return keyToString({ namespace: namespace || (metadata.namespace ?? ''), name });
}

function isTrouble(running: ObservedCondition, phase: DataVolumePhase): boolean {
  return (
    (running.status === 'False' && courseOf(running.reason) !== 'ordinary' && phase !== 'Succeeded') ||
    running.reason === 'Retrying'
  );
}
