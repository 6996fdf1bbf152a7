import type { DataVolume } from '../../api/data-volume.ts';
import type { DataVolumePhase } from '../../api/phases.ts';
import type { Observation, ObservedCondition } from './observation.ts';
import type { SourceKind } from './source-kind.ts';

/** What is told about a change of a DataVolume's status. */
export interface DataVolumeEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

/** The phases of an import that everybody may rely on seeing, also when a fast one skipped some between two looks. */
const IMPORT_MILESTONES: readonly DataVolumePhase[] = ['ImportScheduled', 'ImportInProgress', 'Succeeded'];

/** Reasons of the Running condition in the ordinary course of things, which are no trouble. */
const ORDINARY = new Set([
  'Pending',
  'Completed',
  'TransferRunning',
  'WaitForFirstConsumer',
  'ScratchRequired',
  'Provisioning',
]);

/** The events that tell how a DataVolume got from its recorded status to what is observed now. Pure. */
export function eventsOf(dataVolume: DataVolume, observed: Observation, kind: SourceKind): DataVolumeEvent[] {
  const previous = dataVolume.status;
  const before = previous?.phase ?? '';
  const name = observed.claimName;
  const events: DataVolumeEvent[] = [];
  const condition = (type: string) => observed.conditions.find((candidate) => candidate.type === type);
  const recorded = (type: string) => previous?.conditions?.find((candidate) => candidate.type === type);

  if (condition('Bound')?.status === 'True' && recorded('Bound')?.status !== 'True') {
    events.push({ type: 'Normal', reason: 'Bound', message: `PVC ${name} Bound` });
  }
  const running = condition('Running');
  if (observed.phase === 'Failed') {
    const lost = condition('Bound')?.reason === 'ErrClaimLost' || running?.reason === 'ErrClaimLost';
    if (before !== 'Failed') {
      const reason = lost ? 'ErrClaimLost' : kind === 'clone' ? 'CloneFailed' : 'ImportFailed';
      events.push({ type: 'Warning', reason, message: running?.message ?? '' });
    }
    return events;
  }
  if (running && isTrouble(running, observed.phase) && recorded('Running')?.reason !== running.reason) {
    events.push({ type: 'Warning', reason: running.reason, message: running.message });
  }
  if (observed.phase !== before) events.push(...milestones(before, observed.phase, name, kind, running?.message ?? ''));
  return events;
}

function milestones(
  before: DataVolumePhase,
  now: DataVolumePhase,
  name: string,
  kind: SourceKind,
  detail: string,
): DataVolumeEvent[] {
  if (kind === 'import' && IMPORT_MILESTONES.includes(now)) {
    const passed = IMPORT_MILESTONES.slice(IMPORT_MILESTONES.indexOf(before) + 1, IMPORT_MILESTONES.indexOf(now) + 1);
    return passed.map((phase) => milestone(phase, name, kind, ''));
  }
  return now === '' ? [] : [milestone(now, name, kind, detail)];
}

function milestone(phase: DataVolumePhase, name: string, kind: SourceKind, detail: string): DataVolumeEvent {
  const type = 'Normal';
  switch (phase) {
    case 'ImportScheduled':
      return { type, reason: phase, message: `Import into ${name} scheduled` };
    case 'ImportInProgress':
      return { type, reason: phase, message: `Import into ${name} in progress` };
    case 'CloneScheduled':
      return { type, reason: phase, message: `Clone into ${name} scheduled` };
    case 'Succeeded':
      return kind === 'clone'
        ? { type, reason: 'CloneSucceeded', message: `Clone into PVC ${name} succeeded` }
        : { type, reason: 'ImportSucceeded', message: `Import into PVC ${name} succeeded` };
    case 'Pending':
      return { type, reason: phase, message: `PVC ${name} Pending` };
    default:
      return { type, reason: phase, message: detail || `${phase} of ${name}` };
  }
}

function isTrouble(running: ObservedCondition, phase: DataVolumePhase): boolean {
  return (
    (running.status === 'False' && !ORDINARY.has(running.reason) && phase !== 'Succeeded') ||
    running.reason === 'Retrying'
  );
}
