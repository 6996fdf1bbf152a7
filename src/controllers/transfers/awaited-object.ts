import type { Pod } from '../../kube/builtin-resources.ts';
import type { TransferReport } from './transfer-report.ts';

/** Reasons of an importer's failure while a user's Secret or ConfigMap is missing. */
const REASONS = ['SecretNotFound', 'ConfigMapNotFound'];
/**
 * Milliseconds after which a running importer must have found the object, because it checks that before anything else.
 */
const LOOKED_MILLISECONDS = 5_000;

/** Reports whether a transfer has failed only because an object that a user has to create is missing. */
export function awaitsObject({ reason }: { readonly reason: string }): boolean {
  return REASONS.includes(reason);
}

/**
 * Returns the last report of a transfer that waits for an object; undefined if it does not. The report stays valid
 * while another pod looks for that object.
 */
export function awaitedIn(recorded: TransferReport | undefined): TransferReport | undefined {
  return recorded?.podPhase === 'Pending' && awaitsObject(recorded) ? recorded : undefined;
}

/** Reports whether a running pod may be about to find that the object is still missing. */
export function mayStillLook(pod: Pod, now: number): boolean {
  const startedAt = pod.status?.containerStatuses?.[0]?.state?.running?.startedAt;
  return startedAt !== undefined && now - Date.parse(startedAt) < LOOKED_MILLISECONDS;
}
