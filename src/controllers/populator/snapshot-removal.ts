import { hasFinalizer } from '../../kube/finalizers.ts';
import type { VolumeSnapshot } from '../../kube/snapshot-resources.ts';

/** The snapshot controller's: keeps a snapshot until its content is gone. */
const BOUND_PROTECTION = 'snapshot.storage.kubernetes.io/volumesnapshot-bound-protection';

/**
 * How a temporary snapshot may be deleted: `now`; `if-unchanged`, that is as the version that was looked at; `later`.
 *
 * The snapshot controller makes a snapshot's VolumeSnapshotContent first and puts its finalizer on the snapshot
 * afterwards. A snapshot that is deleted in between goes before its content; the CSI snapshotter, which writes all
 * annotations of the content when it begins, can then wipe out the mark that the content is being deleted, and nobody is left to set it
 * again: the content stays for ever. Before the snapshot controller has touched the snapshot there is no content yet,
 * and once the finalizer is there the mark is set again.
 */
export function removalOf(snapshot: VolumeSnapshot): 'now' | 'if-unchanged' | 'later' {
  if (hasFinalizer(snapshot, BOUND_PROTECTION)) return 'now';
  // Without that finalizer: a content that is to be retained, or an error before there was one.
  if (snapshot.status?.readyToUse || snapshot.status?.error) return 'now';
  return snapshot.metadata?.finalizers?.length ? 'later' : 'if-unchanged';
}
