import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { createTransferPod } from '../../transfers/create-transfer-pod.ts';
import { makeTransferService } from '../../transfers/make-transfer-service.ts';
import { transferTargetOf } from '../../transfers/transfer-target.ts';
import type { CloneContext } from '../metrics/clone-count.ts';
import type { CloneSource } from '../source/source.ts';
import { createSecrets, makeSecrets } from './make-secrets.ts';
import { type HostCloneKeys, type RangesOfCopy, sourcePod, targetPod } from './objects.ts';
import { hasBothVolumes, podWithBothVolumes, rangesSecret } from './one-pod.ts';
import { placementOf } from './placement.ts';
import { sayTwoPods } from './say-two-pods.ts';

/** A copy of which pods are missing. */
export interface CopyToStart {
  /** The claim that is copied into. */
  readonly claim: PersistentVolumeClaim;
  readonly keys: HostCloneKeys;
  readonly source: CloneSource;
  readonly ranges: RangesOfCopy;
  readonly restarts: number;
  /** Whether there is no pod of the copy now. */
  readonly isFresh: boolean;
}

/**
 * Creates the missing pods of a copy, and what they need: one pod with both volumes where that is possible, otherwise
 * one for each, which wait for each other.
 *
 * @returns what is starting, for people
 */
export async function createPods(context: CloneContext, copy: CopyToStart): Promise<string> {
  const { claim, source, isFresh } = copy;
  const placement = isFresh ? await placementOf(context, claim, source) : ({ pods: 2 } as const);
  if (placement.pods === 1) {
    await createOnePod(context, copy, placement.node);
    return 'The pod with both volumes is starting';
  }
  if ((await createTwoPods(context, copy)) === 'has-one') return 'The pod with both volumes is starting';
  if (placement.why !== undefined) sayTwoPods(context, claim, placement.why);
  return 'The source pod and the target pod are starting';
}

async function createOnePod(
  { client, config }: CloneContext,
  { claim, keys, source, ranges, restarts }: CopyToStart,
  node: string | undefined,
): Promise<void> {
  const secret = rangesSecret(claim, keys, ranges);
  if (secret) await createSecrets(client, claim, keys, [secret]);
  const options = { target: transferTargetOf(claim, config), ranges, node, restarts };
  await createTransferPod(client, podWithBothVolumes(claim, keys, source, options, config.transferSettings));
}

/** @returns `has-one` where there is a pod with both volumes already, which the cache does not know yet */
async function createTwoPods(
  { caches, client, config }: CloneContext,
  { claim, keys, source, ranges, restarts, isFresh }: CopyToStart,
): Promise<'created' | 'has-one'> {
  const target = transferTargetOf(claim, config);
  const settings = config.transferSettings;
  const annotations = caches.claims.get(source.key)?.metadata?.annotations ?? {};
  const [service] = await Promise.all([
    makeTransferService(client, claim, 'copy-target'),
    // A pod that is still running has its keys, and those of the other end were created with them.
    isFresh ? makeSecrets(client, claim, keys, ranges) : undefined,
  ]);
  const knows = { knowsChanged: ranges.changed !== undefined, knowsAllocated: ranges.allocated !== undefined };
  const end = { ...source, annotations, service, ...knows };
  // A pod with both volumes has the name of the target's, and the source's would wait beside it.
  if (hasBothVolumes(await createTransferPod(client, targetPod(claim, keys, target, settings, restarts)))) {
    return 'has-one';
  }
  await createTransferPod(client, sourcePod(claim, keys, end, target, settings, restarts));
  return 'created';
}
