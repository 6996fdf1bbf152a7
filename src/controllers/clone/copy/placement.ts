import type { V1NodeSelector } from '@kubernetes/client-node';
import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { keyOf, keyToString } from '../../../kube/key.ts';
import { areApart, describeNodeSelector } from '../../../kube/node-selector.ts';
import { byMountedClaim } from '../../claims/mounted-claims.ts';
import { SELECTED_NODE_ANNOTATION } from '../../claims/wait-for-first-consumer.ts';
import { onePodGivenUpAnnotation } from '../../objects/internal-annotations.ts';
import type { Caches } from '../../runtime/caches.ts';
import type { ControllerContext } from '../../runtime/context.ts';
import { findConsumer, reachOfClaim } from '../source/reach.ts';
import type { CloneSource } from '../source/source.ts';

/** By how many pods a copy is made, and where. */
export type Placement =
  | {
      readonly pods: 1;
      /** The only node on which the pod can have the source, where there is one. */
      readonly node: string | undefined;
    }
  | {
      readonly pods: 2;
      /** Why one pod cannot have both volumes; undefined where nobody would expect that, or it has been said. */
      readonly why?: string;
    };

/**
 * Decides whether one pod can have both volumes of a copy, as far as that is known before it is scheduled: both claims
 * have to be in one namespace, and a node has to reach both volumes.
 *
 * @param claim that is copied into
 */
export async function placementOf(
  context: Pick<ControllerContext, 'caches' | 'client'>,
  claim: PersistentVolumeClaim,
  source: CloneSource,
): Promise<Placement> {
  const { caches } = context;
  const { metadata } = claim;
  const isTogether = source.key.namespace === metadata?.namespace;
  if (!isTogether || metadata.annotations?.[onePodGivenUpAnnotation] !== undefined) return { pods: 2 };
  const reach = reachOfClaim(caches, keyOf(claim));
  if (source.reach && reach && areApart(source.reach, reach)) return { pods: 2, why: whyApart(source.reach, reach) };
  const consumer = await findConsumer(context, claim, source);
  if (consumer && !consumer.reachesVolume) {
    return {
      pods: 2,
      why: `the target is placed on node "${consumer.node}", and the source is reached from ${consumer.reachedFrom}`,
    };
  }
  const node = onlyNodeOf(caches, source);
  const selected = metadata.annotations?.[SELECTED_NODE_ANNOTATION];
  if (node !== undefined && selected !== undefined && node !== selected) {
    return { pods: 2, why: `the target is placed on node "${selected}", and the source is attached to "${node}"` };
  }
  return { pods: 1, node };
}

function whyApart(source: V1NodeSelector, target: V1NodeSelector): string {
  return `the source is reached from ${describeNodeSelector(source)}, and the target from ${describeNodeSelector(target)}`;
}

/** Returns the node to which the source's volume is attached for another pod, where it can be attached to only one. */
function onlyNodeOf(caches: Pick<Caches, 'claims' | 'pods'>, { key }: CloneSource): string | undefined {
  const modes = caches.claims.get(key)?.spec?.accessModes ?? [];
  if (modes.some((mode) => mode === 'ReadWriteMany' || mode === 'ReadOnlyMany')) return undefined;
  const user = caches.pods
    .byIndex(byMountedClaim, keyToString(key))
    .find(({ spec, status }) => spec?.nodeName && status?.phase !== 'Succeeded' && status?.phase !== 'Failed');
  return user?.spec?.nodeName;
}
