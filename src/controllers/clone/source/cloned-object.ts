import type { CloneSourceKind } from '../../../api/clone-grant.ts';
import type { DataVolumeSource } from '../../../api/source-fields.ts';
import { persistentVolumeClaims } from '../../../kube/builtin-resources.ts';
import type { KubeClient } from '../../../kube/client.ts';
import { TerminalError } from '../../../kube/errors.ts';
import { isBeingDeleted } from '../../../kube/finalizers.ts';
import { keyToString, type ObjectKey } from '../../../kube/key.ts';
import type { KubeObject, Resource } from '../../../kube/resource.ts';
import { volumeSnapshots } from '../../../kube/snapshot-resources.ts';
import type { Caches } from '../../runtime/caches.ts';

/** The kind and the name of the object that a DataVolume is cloned from. */
export interface ClonedObject {
  readonly kind: CloneSourceKind;
  readonly key: ObjectKey;
}

/** Returns the object that a source names to be cloned; undefined where the source is of another kind. */
export function clonedObjectOf(
  source: Pick<DataVolumeSource, 'pvc' | 'snapshot'> | undefined,
): ClonedObject | undefined {
  if (source?.pvc) return { kind: 'PersistentVolumeClaim', key: source.pvc };
  if (source?.snapshot) return { kind: 'VolumeSnapshot', key: source.snapshot };
  return undefined;
}

/** Returns the object as it currently is; undefined where it does not exist, or is being deleted. */
export function findCloned(
  { claims, snapshots }: Pick<Caches, 'claims' | 'snapshots'>,
  { kind, key }: ClonedObject,
): KubeObject | undefined {
  const found = kind === 'PersistentVolumeClaim' ? claims.get(key) : snapshots.get(key);
  return found && !isBeingDeleted(found) ? found : undefined;
}

/**
 * Requires that an object is still the intended one and not a later one with the same name, according to the cache. A
 * missing object is accepted.
 *
 * @param uid of the intended object; undefined where any object with the name will do
 * @throws TerminalError SourceReplaced
 */
export function requireSameObject(
  { claims, snapshots }: Pick<Caches, 'claims' | 'snapshots'>,
  { kind, key }: ClonedObject,
  uid: string | undefined,
): void {
  requireUid(key, kind === 'PersistentVolumeClaim' ? claims.get(key) : snapshots.get(key), uid);
}

/**
 * Requires the same as {@link requireSameObject}, but according to the API server, before data that was read from the
 * object is used.
 */
export async function requireSameObjectNow(
  client: KubeClient,
  { kind, key }: ClonedObject,
  uid: string | undefined,
): Promise<void> {
  if (uid === undefined) return;
  const resource: Resource<KubeObject> = kind === 'PersistentVolumeClaim' ? persistentVolumeClaims : volumeSnapshots;
  requireUid(key, await client.get(resource, key), uid);
}

function requireUid(key: ObjectKey, found: KubeObject | undefined, uid: string | undefined): void {
  if (uid === undefined || !found || found.metadata?.uid === uid) return;
  throw new TerminalError(
    'SourceReplaced',
    `The source ${keyToString(key)} was deleted and made anew since this clone was granted, by whom is not known; make the DataVolume anew`,
  );
}
