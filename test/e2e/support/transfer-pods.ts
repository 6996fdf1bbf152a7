import { hostCloneKeys } from '../../../src/controllers/clone/copy/objects.ts';
import { persistentVolumeClaims, type Pod, pods } from '../../../src/kube/builtin-resources.ts';
import type { KubeClient } from '../../../src/kube/client.ts';
import type { ObjectKey } from '../../../src/kube/key.ts';
import { temporaryClaimName } from '../../../src/protocol/object-names.ts';
import { type TransferProgress, transferProgress } from '../../../src/protocol/transfer-pod.ts';
import { until } from '../../support/until.ts';

/** The pods that copy into a DataVolume's claim; one that has both volumes is both. */
export interface TransferPods {
  readonly source: ObjectKey;
  readonly target: ObjectKey;
}

/**
 * Finds the names of the pods that copy a claim, as soon as it is clear which claim they write.
 *
 * @param direct whether the claim itself is written, and not a working claim beside the source, which one pod copies
 */
export async function transferPodsOf(
  client: KubeClient,
  key: ObjectKey,
  source: ObjectKey,
  { direct = false }: { direct?: boolean | undefined } = {},
): Promise<TransferPods> {
  const target = await until(client, persistentVolumeClaims, key, 'it is there', (claim) => claim);
  const temporary = { namespace: source.namespace, name: temporaryClaimName(target.metadata?.uid ?? '') };
  const written = direct
    ? target
    : await until(client, persistentVolumeClaims, temporary, 'it is there', (claim) => claim);
  const { sourcePod, targetPod } = hostCloneKeys(written, source.namespace);
  return { source: direct ? sourcePod : targetPod, target: targetPod };
}

/** What a running transfer pod tells of itself; undefined where it does not answer. */
async function progressOf(pod: Pod): Promise<TransferProgress | undefined> {
  const address = pod.status?.podIP;
  if (!address) return undefined;
  try {
    const response = await fetch(`http://${address}:8080/progress`, { signal: AbortSignal.timeout(1000) });
    return transferProgress.parse(await response.json());
  } catch {
    return undefined;
  }
}

/** Adds up what the source pods of one copy send, pod after pod and attempt after attempt. */
export class SentData {
  #before = 0;
  #latest = 0;
  #pod = '';

  /** Bytes, as far as the pods have been asked. */
  get total(): number {
    return this.#before + this.#latest;
  }

  /** @param bytes what the pod has sent in its present attempt */
  note(pod: string, bytes: number): void {
    if (pod !== this.#pod || bytes < this.#latest) this.#before += this.#latest;
    this.#pod = pod;
    this.#latest = bytes;
  }
}

/** How much of a copy has been sent by now, in percent; notes how many bytes that took. */
export async function observeCopy(client: KubeClient, { source }: TransferPods, sent: SentData): Promise<number> {
  const pod = await client.get(pods, source);
  const progress = pod && (await progressOf(pod));
  if (!progress) return 0;
  sent.note(pod.metadata?.uid ?? '', progress.bytesWritten);
  return progress.percent ?? 0;
}

/** A pod that is not the one of this uid, once it runs. */
export function untilReplaced(client: KubeClient, key: ObjectKey, uid: string | undefined): Promise<Pod> {
  return until(client, pods, key, `pod ${uid} is replaced`, (pod) =>
    pod && pod.metadata?.uid !== uid && pod.status?.podIP ? pod : undefined,
  );
}
