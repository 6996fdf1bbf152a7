import type { V1NodeSelector } from '@kubernetes/client-node';
import { nodes, type PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import type { Key } from '../../../kube/key.ts';
import { describeNodeSelector, fitsNode } from '../../../kube/node-selector.ts';
import type { Caches } from '../../runtime/caches.ts';
import type { ControllerContext } from '../../runtime/context.ts';
import { SELECTED_NODE_ANNOTATION } from '../../claims/wait-for-first-consumer.ts';
import type { CloneSource } from './source.ts';

/** The node that a claim's first consumer was put on, and what of the source can be brought there by the storage. */
export interface Consumer {
  readonly node: string;
  /** Whether the source's volume is in the node's reach. */
  readonly reachesVolume: boolean;
  /** Whether a snapshot of it can be restored there. */
  readonly reachesSnapshots: boolean;
  /** The nodes that the source is in reach of, for people. */
  readonly reachedFrom: string;
}

/** The nodes that a claim's volume is in reach of; undefined where it has none, or all nodes reach it. */
export function reachOfClaim(caches: Pick<Caches, 'claims' | 'volumes'>, key: Key): V1NodeSelector | undefined {
  const name = caches.claims.get(key)?.spec?.volumeName;
  return name ? caches.volumes.get({ namespace: '', name })?.spec?.nodeAffinity?.required : undefined;
}

/** The nodes that the claim of a snapshot was in reach of; undefined where that is gone, or all nodes reach it. */
export function reachOfSnapshot(
  caches: Pick<Caches, 'claims' | 'volumes' | 'snapshots'>,
  key: Key,
): V1NodeSelector | undefined {
  const name = caches.snapshots.get(key)?.spec.source.persistentVolumeClaimName;
  return name ? reachOfClaim(caches, { ...key, name }) : undefined;
}

/** Looks whether a claim's consumer was put on a node that the source is in reach of; undefined where that does not matter. */
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

/** Storage of a zone or region restores its snapshots in others; a node's own cannot. */
function isOfOneNode({ nodeSelectorTerms }: V1NodeSelector): boolean {
  const keys = nodeSelectorTerms.flatMap(({ matchExpressions = [] }) => matchExpressions.map(({ key }) => key));
  return !keys.length || !keys.every((key) => /(zone|region)s?$/i.test(key));
}
