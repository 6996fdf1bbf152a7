import { stateAnnotation } from '../../api/annotations.ts';
import { type ClonePhase, dataVolumePhaseOfClone } from '../../api/clone.ts';
import type { DataVolume, DataVolumeConditionType } from '../../api/data-volume.ts';
import type { DataVolumePhase } from '../../api/phases.ts';
import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import { TerminalError } from '../../kube/errors.ts';
import { isBound } from '../claims/bound.ts';
import { readReport } from '../transfers/transfer-report.ts';
import { driverCloneType } from './driver-clone.ts';
import { isPopulatedFor } from './metadata.ts';
import type { SourceKind } from './source-kind.ts';

/** Everything that a DataVolume's status depends on. */
export interface DataVolumeWorld {
  readonly dataVolume: DataVolume;
  readonly claim: PersistentVolumeClaim | undefined;
  readonly kind: SourceKind;
  /** Whether the claim is unbound, of a WaitForFirstConsumer class, and without a consumer. */
  readonly awaitsConsumer: boolean;
  /** Whether the volume of a claim that is populated and bound is the one with its data. */
  readonly hasOwnVolume: boolean;
  /** The error that stopped the controller before there was a claim. */
  readonly failure: (Error & { readonly reason: string }) | undefined;
}

/** A condition without its timestamps. */
export interface ObservedCondition {
  readonly type: DataVolumeConditionType;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
}

/** The status that a DataVolume should have, without timestamps. */
export interface Observation {
  readonly phase: DataVolumePhase;
  readonly progress: string;
  readonly restartCount: number;
  readonly claimName: string;
  readonly conditions: readonly ObservedCondition[];
}

/** The phases while a pod is starting, and from then on until the data is in place. */
const IMPORT_PHASES = ['ImportScheduled', 'ImportInProgress'] as const;
const UPLOAD_PHASES = ['UploadScheduled', 'UploadReady'] as const;

/** Message of the Running condition after a success. */
const COMPLETED: Readonly<Record<SourceKind, string>> = {
  import: 'Import Complete',
  clone: 'Clone Complete',
  upload: 'Upload Complete',
  'external-population': 'Complete',
};

/** Derives a DataVolume's status from the state of the cluster. This is a pure function. */
export function observe(world: DataVolumeWorld): Observation {
  const { dataVolume, claim } = world;
  const phase = phaseOf(world);
  const report = readReport(claim?.metadata?.annotations);
  return {
    phase,
    progress: progressOf(phase, world),
    restartCount: report?.restarts ?? 0,
    claimName: dataVolume.metadata.name ?? '',
    conditions: [boundCondition(world), readyCondition(phase, world), runningCondition(phase, world)],
  };
}

/** Returns the progress to report. Data that existed before the DataVolume has none. */
function progressOf(phase: DataVolumePhase, { dataVolume, claim }: DataVolumeWorld): string {
  if (claim && isPopulatedFor(claim, dataVolume)) return 'N/A';
  return phase === 'Succeeded' ? '100.0%' : (readReport(claim?.metadata?.annotations)?.progress ?? 'N/A');
}

function phaseOf({ dataVolume, claim, kind, awaitsConsumer, hasOwnVolume, failure }: DataVolumeWorld): DataVolumePhase {
  if (failure) return failure instanceof TerminalError ? 'Failed' : 'Pending';
  if (!claim) return wasPopulated(dataVolume) ? 'Failed' : 'Pending';
  if (claim.status?.phase === 'Lost') return 'Failed';
  const populated = claim.spec?.dataSourceRef !== undefined;
  const report = readReport(claim.metadata?.annotations);
  if (isPopulatedFor(claim, dataVolume) && isBound(claim)) return 'Succeeded';
  if (report?.podPhase === 'Failed') return 'Failed';
  if (report?.podPhase === 'Paused') return 'Paused';
  // A claim with a populator is bound to the volume that was handed over to it only after its data is complete.
  if (populated && isBound(claim) && hasOwnVolume) return 'Succeeded';
  if (!populated && (report?.podPhase === 'Succeeded' || kind === 'external-population') && isBound(claim)) {
    return 'Succeeded';
  }
  if (awaitsConsumer && report?.podPhase !== 'Running') return populated ? 'PendingPopulation' : 'WaitForFirstConsumer';
  if (kind === 'clone') return clonePhaseOf(claim);
  const [scheduled, underWay] = kind === 'upload' ? UPLOAD_PHASES : IMPORT_PHASES;
  if (report?.podPhase === 'Running') return underWay;
  if (report?.podPhase === 'Succeeded' && populated) return underWay;
  if (report) return scheduled;
  return 'Pending';
}

/** Returns whether a DataVolume has been populated once. If so, a missing claim is not created again. */
export function wasPopulated({ status }: DataVolume): boolean {
  return (
    status?.phase === 'Succeeded' || (status?.conditions?.some(({ reason }) => reason === 'ErrClaimLost') ?? false)
  );
}

function clonePhaseOf(claim: PersistentVolumeClaim): DataVolumePhase {
  const clonePhase = claim.metadata?.annotations?.[stateAnnotation.clonePhase] as ClonePhase | undefined;
  if (clonePhase && clonePhase in dataVolumePhaseOfClone) {
    return dataVolumePhaseOfClone[clonePhase as keyof typeof dataVolumePhaseOfClone];
  }
  const report = readReport(claim.metadata?.annotations);
  if (!report) return 'Pending';
  const byDriver = driverCloneType(claim);
  if (byDriver) return byDriver === 'snapshot' ? 'CloneFromSnapshotSourceInProgress' : 'CSICloneInProgress';
  return report.podPhase === 'Running' ? 'CloneInProgress' : 'CloneScheduled';
}

function boundCondition({ dataVolume, claim, failure }: DataVolumeWorld): ObservedCondition {
  const name = dataVolume.metadata.name ?? '';
  const type = 'Bound';
  if (failure) return { type, status: 'False', reason: failure.reason, message: failure.message };
  if (!claim) return { type, status: 'False', reason: 'NotFound', message: `PVC ${name} does not exist` };
  if (isBound(claim)) return { type, status: 'True', reason: 'Bound', message: `PVC ${name} Bound` };
  if (claim.status?.phase === 'Lost') {
    return {
      type,
      status: 'False',
      reason: 'ErrClaimLost',
      message: `PVC ${name} has lost its volume ${claim.spec?.volumeName ?? ''}; delete the DataVolume and make it anew`,
    };
  }
  const report = readReport(claim.metadata?.annotations);
  // Clients look for it in this condition.
  if (report?.reason === 'AwaitingVDDK')
    return { type, status: 'False', reason: report.reason, message: report.message };
  return { type, status: 'False', reason: 'Pending', message: `PVC ${name} Pending` };
}

function readyCondition(phase: DataVolumePhase, { failure }: DataVolumeWorld): ObservedCondition {
  const type = 'Ready';
  if (phase === 'Succeeded') return { type, status: 'True', reason: 'Ready', message: 'The data is in place' };
  return { type, status: 'False', reason: failure?.reason ?? phase, message: '' };
}

function runningCondition(phase: DataVolumePhase, world: DataVolumeWorld): ObservedCondition {
  const { claim, kind, failure } = world;
  const type = 'Running';
  if (failure) return { type, status: 'False', reason: failure.reason, message: failure.message };
  const report = readReport(claim?.metadata?.annotations);
  if (phase === 'Succeeded') {
    return { type, status: 'False', reason: 'Completed', message: COMPLETED[kind] };
  }
  if (!claim && phase === 'Failed') {
    return {
      type,
      status: 'False',
      reason: 'ErrClaimLost',
      message: 'The claim was deleted after it had been populated',
    };
  }
  if (phase === 'PendingPopulation' || phase === 'WaitForFirstConsumer') {
    return {
      type,
      status: 'False',
      reason: 'WaitForFirstConsumer',
      message:
        'The storage class binds when a pod uses the claim; create that pod, or annotate the DataVolume with cdi.kubevirt.io/storage.bind.immediate.requested',
    };
  }
  if (!report) return { type, status: 'False', reason: 'Pending', message: 'Nothing has been started yet' };
  return { type, status: report.running ? 'True' : 'False', reason: report.reason, message: report.message };
}
