import * as z from 'zod';
import type { PersistentVolumeClaim, Pod } from '../../kube/builtin-resources.ts';
import { isBeingDeleted } from '../../kube/finalizers.ts';
import { keyOf, keyToString, type ObjectKey } from '../../kube/key.ts';
import { byMountedClaim } from '../claims/mounted-claims.ts';
import { isWriterOfCdi } from '../objects/left-by-cdi.ts';
import type { Caches } from '../runtime/caches.ts';
import type { PodVerdict } from './pod-verdict.ts';
import { pendingReport, runningReport, type TransferReport } from './transfer-report.ts';

type SuccessfulResult = Extract<PodVerdict, { state: 'succeeded' }>['result'];

/** What becomes of a pod of CDI that writes a claim. */
export type Succession =
  /** It has brought the data. */
  | { readonly result: SuccessfulResult; readonly report?: undefined }
  /** It goes on, where the report says that it is running; else it has to be deleted, and the transfer begins anew. */
  | { readonly result?: undefined; readonly report: TransferReport };

/** The container that moves the data in CDI's importer pods; others may serve it the image. */
const MAIN_CONTAINER = 'importer';

/** The termination message of CDI's importer. Earlier versions write text. */
const importerMessage = z.object({
  scratchSpaceRequired: z.boolean().optional(),
  preallocationApplied: z.boolean().optional(),
  deadlinePassed: z.boolean().optional(),
  labels: z.record(z.string(), z.string()).optional(),
  vddkInfo: z.object({ Version: z.string().optional(), Host: z.string().optional() }).optional(),
});

/** Returns the pods of CDI that write a claim, or have written it. */
export function predecessorsOf({ pods }: Pick<Caches, 'pods'>, claim: PersistentVolumeClaim): readonly Pod[] {
  return pods.byIndex(byMountedClaim, keyToString(keyOf(claim))).filter(isWriterOfCdi);
}

/** Returns the claims that a pod of CDI writes, which have to be looked at whenever the pod changes. */
export function succeededClaims(pod: Pod): ObjectKey[] {
  if (!isWriterOfCdi(pod)) return [];
  const { namespace = '' } = pod.metadata ?? {};
  return (pod.spec?.volumes ?? []).flatMap(({ persistentVolumeClaim: mounted }) =>
    mounted ? [{ namespace, name: mounted.claimName }] : [],
  );
}

/**
 * Returns a pod of CDI that writes a claim, and without which none of ours may be made: two pods must never write one
 * disk.
 *
 * @param counted UIDs of pods whose stages of the transfer count as complete
 */
export function predecessorOf(
  caches: Pick<Caches, 'pods'>,
  claim: PersistentVolumeClaim,
  counted: readonly string[] = [],
): Pod | undefined {
  return predecessorsOf(caches, claim).find(({ metadata }) => !counted.includes(metadata?.uid ?? ''));
}

/**
 * Decides what becomes of a pod of CDI. This is a pure function.
 *
 * @param goesOn whether such a pod can come to its end without CDI
 */
export function judgePredecessor(pod: Pod, goesOn: boolean): Succession {
  const name = keyToString(keyOf(pod));
  const message = `Pod ${name} of CDI is replaced, and the transfer begins anew`;
  const replaced: Succession = { report: pendingReport(0, { reason: 'PodReplaced', message }) };
  if (isBeingDeleted(pod)) return replaced;
  const main = pod.status?.containerStatuses?.find((container) => container.name === MAIN_CONTAINER);
  const ended = main?.state?.terminated;
  // The container has ended a moment before its pod is said to have.
  if (pod.status?.phase === 'Succeeded' || ended?.exitCode === 0) {
    const result = resultOf(ended?.message);
    return result ? { result } : replaced;
  }
  // A container that has failed is started again for ever.
  const isAtWork = pod.status?.phase === 'Running' && main?.state?.running !== undefined;
  if (!goesOn || !isAtWork) return replaced;
  return {
    report: {
      ...runningReport(undefined, undefined, 0),
      message: `Pod ${name} of CDI goes on with the import; delete it where it is stuck, and the import begins anew`,
    },
  };
}

/** Returns undefined where the pod has asked for another one instead of bringing the data. */
function resultOf(message = ''): SuccessfulResult | undefined {
  const { data } = importerMessage.safeParse(parsed(message));
  const isText = data === undefined;
  if (data?.scratchSpaceRequired || data?.deadlinePassed || (isText && /scratch space required/i.test(message)))
    return undefined;
  return {
    outcome: 'succeeded',
    bytesRead: 0,
    bytesWritten: 0,
    preallocated: data?.preallocationApplied ?? /preallocation applied/i.test(message),
    ...(data?.labels ? { labels: data.labels } : {}),
    ...(data?.vddkInfo ? { vddk: { version: data.vddkInfo.Version, host: data.vddkInfo.Host } } : {}),
  };
}

function parsed(message: string): unknown {
  try {
    return JSON.parse(message);
  } catch {
    return undefined;
  }
}
