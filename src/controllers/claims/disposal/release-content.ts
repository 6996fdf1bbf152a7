import { keyOf } from '../../../kube/key.ts';
import {
  type VolumeSnapshot,
  type VolumeSnapshotContent,
  volumeSnapshotContents,
  volumeSnapshots,
} from '../../../kube/snapshot-resources.ts';
import { contentNameOf, isTakenFor } from '../../objects/evidence.ts';
import { contentReleasedAnnotation } from '../../objects/internal-annotations.ts';
import type { ControllerContext } from '../../runtime/context.ts';

/**
 * The finalizer that the snapshot controller puts on a snapshot once it has seen that the content is to be deleted with
 * it.
 */
const BOUND_PROTECTION = 'snapshot.storage.kubernetes.io/volumesnapshot-bound-protection';

/** The time allowed for the snapshot controller to notice a change. */
const NOTICING_MILLISECONDS = 5_000;

type ReleaseContext = Pick<ControllerContext, 'client' | 'caches' | 'now'>;

/**
 * Ensures that the snapshot in the storage is deleted together with a temporary VolumeSnapshot, whatever the policy of
 * its class. The snapshot controller must know this before the VolumeSnapshot is deleted: a content without a
 * VolumeSnapshot remains forever, whatever its policy. A change of the VolumeSnapshot makes the controller look at it
 * again.
 *
 * @returns `released` where the VolumeSnapshot can be deleted, also where there is nothing to release
 */
export async function releaseContentOf(
  context: ReleaseContext,
  snapshot: VolumeSnapshot,
): Promise<'released' | 'waiting'> {
  const { client } = context;
  if (!mayBeRetained(context, snapshot) || isProtected(snapshot)) return 'released';
  const content = await client.get(volumeSnapshotContents, { namespace: '', name: contentNameOf(snapshot) });
  if (!content || !isTakenFor(content, snapshot)) return 'released';
  if (content.spec.deletionPolicy === 'Retain') {
    await release(context, content);
    return 'waiting';
  }
  const released = snapshot.metadata?.annotations?.[contentReleasedAnnotation];
  if (released !== undefined)
    return context.now() - Date.parse(released) < NOTICING_MILLISECONDS ? 'waiting' : 'released';
  await tell(context, snapshot);
  return 'waiting';
}

async function release({ client }: ReleaseContext, content: VolumeSnapshotContent): Promise<void> {
  await client.mergePatch(volumeSnapshotContents, keyOf(content), {
    metadata: { uid: content.metadata?.uid, resourceVersion: content.metadata?.resourceVersion },
    spec: { deletionPolicy: 'Delete' },
  });
}

async function tell({ client, now }: ReleaseContext, { metadata }: VolumeSnapshot): Promise<void> {
  await client.mergePatch(volumeSnapshots, keyOf({ metadata }), {
    metadata: { uid: metadata?.uid, annotations: { [contentReleasedAnnotation]: new Date(now()).toISOString() } },
  });
}

/**
 * Returns whether the class of a snapshot may retain its content, which is assumed of a class that no longer exists.
 */
function mayBeRetained({ caches }: ReleaseContext, { spec }: VolumeSnapshot): boolean {
  const name = spec.volumeSnapshotClassName;
  return caches.snapshotClasses.get({ namespace: '', name: name ?? '' })?.deletionPolicy !== 'Delete';
}

function isProtected({ metadata }: VolumeSnapshot): boolean {
  return metadata?.finalizers?.includes(BOUND_PROTECTION) ?? false;
}
