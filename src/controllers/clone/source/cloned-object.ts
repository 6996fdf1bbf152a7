import type { CloneSourceKind } from '../../../api/clone-grant.ts';
import type { DataVolumeSource } from '../../../api/source-fields.ts';
import { TerminalError } from '../../../kube/errors.ts';
import { isBeingDeleted } from '../../../kube/finalizers.ts';
import { keyToString, type Key } from '../../../kube/key.ts';
import type { KubeClient } from '../../../kube/client.ts';
import { persistentVolumeClaims } from '../../../kube/builtin-resources.ts';
import type { KubeObject, Resource } from '../../../kube/resource.ts';
import { volumeSnapshots } from '../../../kube/snapshot-resources.ts';
import type { Caches } from '../../runtime/caches.ts';

/** What a DataVolume is cloned from, by name. */
export interface ClonedObject {
  readonly kind: CloneSourceKind;
  readonly key: Key;
}

/** What a source names to be cloned; undefined where it is no clone. */
export function clonedObjectOf(
  source: Pick<DataVolumeSource, 'pvc' | 'snapshot'> | undefined,
): ClonedObject | undefined {
  if (source?.pvc) return { kind: 'PersistentVolumeClaim', key: source.pvc };
  if (source?.snapshot) return { kind: 'VolumeSnapshot', key: source.snapshot };
  return undefined;
}

/** The object as it is there now; undefined where there is none, or it is being deleted. */
export function findCloned(
  { claims, snapshots }: Pick<Caches, 'claims' | 'snapshots'>,
  { kind, key }: ClonedObject,
): KubeObject | undefined {
  const found = kind === 'PersistentVolumeClaim' ? claims.get(key) : snapshots.get(key);
  return found && !isBeingDeleted(found) ? found : undefined;
}

/**
 * Requires that the object of a name is still the one that was meant, if there is one, as far as the cache knows.
 *
 * @param uid of that object; undefined where any of its name will do
 * @throws TerminalError SourceReplaced
 */
export function requireSameObject(
  { claims, snapshots }: Pick<Caches, 'claims' | 'snapshots'>,
  { kind, key }: ClonedObject,
  uid: string | undefined,
): void {
  requireUid(key, kind === 'PersistentVolumeClaim' ? claims.get(key) : snapshots.get(key), uid);
}

/** {@link requireSameObject}, as the API server knows it: before what was read of it counts. */
export async function requireSameObjectNow(
  client: KubeClient,
  { kind, key }: ClonedObject,
  uid: string | undefined,
): Promise<void> {
  if (uid === undefined) return;
  const resource: Resource<KubeObject> = kind === 'PersistentVolumeClaim' ? persistentVolumeClaims : volumeSnapshots;
  requireUid(key, await client.get(resource, key), uid);
}

function requireUid(key: Key, found: KubeObject | undefined, uid: string | undefined): void {
  if (uid === undefined || !found || found.metadata?.uid === uid) return;
  throw new TerminalError(
    'SourceReplaced',
    `The source ${keyToString(key)} was deleted and made anew since this clone was granted, by whom is not known; make the DataVolume anew`,
  );
}
