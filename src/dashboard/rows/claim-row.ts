import { courseOf } from '../../api/reasons.ts';
import { cloneViewOf } from '../../controllers/clone/view.ts';
import { type TransferReport, transferViewOf } from '../../controllers/transfers/view.ts';
import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import { detailsOf } from './data-volume-row.ts';
import { percentOf } from './percent.ts';
import type { Row, State } from './row.ts';
import { withoutLogin } from './source-text.ts';

/** Returns the row of a claim that is filled without a DataVolume; undefined where it is not, or has one. Pure. */
export function claimRow(claim: PersistentVolumeClaim): Row | undefined {
  const { name = '', namespace = '', creationTimestamp = '', ownerReferences = [] } = claim.metadata ?? {};
  if (ownerReferences.some(({ kind }) => kind === 'DataVolume')) return undefined;
  const clone = cloneViewOf(claim);
  const transfer = clone ?? transferViewOf(claim);
  if (!transfer) return undefined;
  const { report, isComplete } = transfer;
  const kind = 'kind' in transfer ? transfer.kind : 'clone';
  const source = 'kind' in transfer ? transfer.source : (transfer.requested ?? transfer.cloneSource);
  const state = stateOf(isComplete, report, clone?.phase);
  return {
    id: `persistentvolumeclaims/${namespace}/${name}`,
    resource: 'persistentvolumeclaims',
    kind,
    namespace,
    name,
    state,
    phase: isComplete ? 'Succeeded' : (clone?.phase ?? report?.podPhase ?? 'Pending'),
    source: withoutLogin(source ?? ''),
    percent: isComplete ? undefined : percentOf(report?.progress),
    why: isComplete || !report ? undefined : { reason: report.reason, message: report.message },
    details: detailsOf(claim),
    created: Date.parse(creationTimestamp) || 0,
  };
}

function stateOf(isComplete: boolean, report: TransferReport | undefined, clonePhase: string | undefined): State {
  if (isComplete) return 'done';
  if (report?.podPhase === 'Failed' || clonePhase === 'Error') return 'failed';
  if (report?.running) return 'running';
  if (!report && (clonePhase === undefined || clonePhase === 'Pending')) return 'waiting';
  const course = courseOf(report?.reason ?? '');
  return report === undefined || course === undefined || course === 'ordinary' ? 'running' : 'waiting';
}
