import type { V1NodeSelector } from '@kubernetes/client-node';
import { nodes, type PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import type { ObjectKey } from '../../../kube/key.ts';
import { describeNodeSelector, fitsNode } from '../../../kube/node-selector.ts';
import { SELECTED_NODE_ANNOTATION } from '../../claims/wait-for-first-consumer.ts';
import type { Caches } from '../../runtime/caches.ts';
import type { ControllerContext } from '../../runtime/context.ts';
import type { CloneSource } from './source.ts';

/** The node of a claim's first consumer, and whether the storage can bring the source's data there. */
export interface Consumer {
  readonly node: string;
  /** Whether the source's volume is accessible from the node. */
  readonly reachesVolume: boolean;
  /** Whether a snapshot of the source can be restored on the node. */
  readonly reachesSnapshots: boolean;
  /** A description, for people, of the nodes from which the source is accessible. */
  readonly reachedFrom: string;
}

/**
 * Returns the nodes from which a claim's volume is accessible; undefined where it has no volume, or all nodes can
 * access it.
 */
export function reachOfClaim(caches: Pick<Caches, 'claims' | 'volumes'>, key: ObjectKey): V1NodeSelector | undefined {
  const name = caches.claims.get(key)?.spec?.volumeName;
  return name ? caches.volumes.get({ namespace: '', name })?.spec?.nodeAffinity?.required : undefined;
}

/**
 * Returns the nodes from which the volume of a snapshot's claim is accessible; undefined where the claim no longer
 * exists, or all nodes can access it.
 */
export function reachOfSnapshot(
  caches: Pick<Caches, 'claims' | 'volumes' | 'snapshots'>,
  key: ObjectKey,
): V1NodeSelector | undefined {
  const name = caches.snapshots.get(key)?.spec.source.persistentVolumeClaimName;
  return name ? reachOfClaim(caches, { ...key, name }) : undefined;
}

/**
 * Determines whether the source is accessible from the node of a claim's consumer; undefined where there is no
 * restriction.
 */
export async function findConsumer(
  { client }: Pick<ControllerContext, 'client'>,
  target: PersistentVolumeClaim,
  { reach }: Pick<CloneSource, 'reach'>,
): Promise<Consumer | undefined> {
  const name = target.metadata?.annotations?.[SELECTED_NODE_ANNOTATION];
  const node = name && reach ? await client.get(nodes, { namespace: '', name }) : undefined;
  if (!name || !reach || !node) return undefined;
  const reachesVolume = fitsNode(reach, node);
  return {
    node: name,
    reachesVolume,
    reachesSnapshots: reachesVolume || !isOfOneNode(reach),
    reachedFrom: describeNodeSelector(reach),
  };
}

/**
 * Returns whether storage is local to a node and so can restore snapshots only there. Storage of a zone or region can
 * restore them in others.
 */
function isOfOneNode({ nodeSelectorTerms }: V1NodeSelector): boolean {
  const keys = nodeSelectorTerms.flatMap(({ matchExpressions = [] }) => matchExpressions.map(({ key }) => key));
  return !keys.length || !keys.every((key) => /(zone|region)s?$/i.test(key));
}
