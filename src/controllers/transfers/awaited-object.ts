import type { Pod } from '../../kube/builtin-resources.ts';
import type { TransferReport } from './transfer-report.ts';

/** What an importer fails with while a user's Secret or ConfigMap is not there. */
const REASONS = ['SecretNotFound', 'ConfigMapNotFound'];
/** The importer looks before it does anything else; one that has run for so many milliseconds has found what it looked for. */
const LOOKED_MILLISECONDS = 5_000;

/** Whether a transfer has failed only because it waits for an object that a user is to make. */
export function awaitsObject({ reason }: { readonly reason: string }): boolean {
  return REASONS.includes(reason);
}

/** What a transfer was last said to wait for, if it did for an object. While another pod looks for that, it stays true. */
export function awaitedIn(recorded: TransferReport | undefined): TransferReport | undefined {
  return recorded?.podPhase === 'Pending' && awaitsObject(recorded) ? recorded : undefined;
}

/** Whether a pod that runs may be about to find that the object is still not there. */
export function mayStillLook(pod: Pod, now: number): boolean {
  const startedAt = pod.status?.containerStatuses?.[0]?.state?.running?.startedAt;
  return startedAt !== undefined && now - Date.parse(startedAt) < LOOKED_MILLISECONDS;
}
