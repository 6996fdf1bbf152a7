import type { CloneGrant } from '../../../api/clone-grant.ts';
import type { DataVolume } from '../../../api/data-volume.ts';
import { controllerOf } from '../../../kube/apply.ts';
import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { TerminalError, WaitingError } from '../../../kube/errors.ts';
import { keyOf, keyToString, type ObjectKey } from '../../../kube/key.ts';
import { dataVolumeOf } from '../../claims/data-volume-of.ts';
import { grantUsedAnnotation } from '../../objects/internal-annotations.ts';
import type { Caches } from '../../runtime/caches.ts';
import type { ClonedObject } from '../source/cloned-object.ts';

type AuthorityCaches = Pick<Caches, 'dataVolumes' | 'cloneGrants'>;

const LOOK_AGAIN_MILLISECONDS = 5_000;
/** The lifetime of an unused grant: a claim may wait a long time for its first consumer, but not forever. */
const LONGEST_GRANT_MILLISECONDS = 30 * 24 * 60 * 60_000;

/** Returns the DataVolume that a grant was issued for. */
export function dataVolumeKeyOf({ spec }: CloneGrant): ObjectKey {
  return { namespace: spec.dataVolume.namespace, name: spec.dataVolume.name };
}

/**
 * Requires that a claim may be filled from an object. Within a namespace, that is always so. From another namespace, a
 * CloneGrant is needed, because anybody with rights in the claim's namespace can write everything else that could serve
 * as evidence, on the claim or on its DataVolume.
 *
 * @param now milliseconds since the epoch
 * @returns the uid that the object must have; undefined within a namespace
 * @throws TerminalError Forbidden; CloneRightExpired where the grant is a month old
 * @throws WaitingError CloneNotGranted while the grant has not been issued
 */
export function requireAuthority(
  caches: AuthorityCaches,
  target: PersistentVolumeClaim,
  source: ClonedObject,
  now: number,
): string | undefined {
  const { namespace } = keyOf(target);
  if (source.key.namespace === namespace) return undefined;
  const dataVolume = dataVolumeOf(caches, target);
  if (!dataVolume) throw forbidden(source, namespace);
  const grant = caches.cloneGrants.get({ namespace: '', name: dataVolume.metadata.uid ?? '' });
  if (!grant) throw notGrantedYet(dataVolume, source);
  if (grant.spec.claimUid !== target.metadata?.uid) {
    throw new TerminalError(
      'Forbidden',
      `DataVolume "${keyOf(target).name}" was granted its clone once, for a claim that is gone; make the DataVolume anew`,
    );
  }
  if (!grants(grant, source)) throw forbidden(source, namespace);
  if (grant.metadata.annotations?.[grantUsedAnnotation] !== undefined) {
    throw new TerminalError(
      'Forbidden',
      `DataVolume "${keyOf(target).name}" was granted its clone once, and has had it; make the DataVolume anew`,
    );
  }
  if (now - Date.parse(grant.metadata.creationTimestamp ?? '') > LONGEST_GRANT_MILLISECONDS) {
    throw new TerminalError(
      'CloneRightExpired',
      `The right to clone ${keyToString(source.key)} was checked more than 30 days ago; make DataVolume "${keyOf(target).name}" anew`,
    );
  }
  return grant.spec.source.uid;
}

/** Returns the grant by which a claim is filled from another namespace, whether or not it has been used. */
export function grantOf(caches: AuthorityCaches, target: PersistentVolumeClaim): CloneGrant | undefined {
  const grant = caches.cloneGrants.get({ namespace: '', name: controllerOf(target)?.uid ?? '' });
  return grant?.spec.claimUid === target.metadata?.uid ? grant : undefined;
}

function grants({ spec }: CloneGrant, { kind, key }: ClonedObject): boolean {
  return spec.source.kind === kind && spec.source.namespace === key.namespace && spec.source.name === key.name;
}

/**
 * Returns the error for a missing grant: the DataVolume controller will issue it in a moment, or report on the
 * DataVolume why it does not.
 */
function notGrantedYet({ metadata, spec }: DataVolume, { key }: ClonedObject): Error {
  if (!spec.sourceRef && !spec.source?.pvc && !spec.source?.snapshot) return forbidden({ key }, metadata.namespace);
  return new WaitingError(
    'CloneNotGranted',
    `The right to clone ${keyToString(key)} has not been recorded for DataVolume "${metadata.name}" yet; its conditions tell why where it takes long`,
    { after: LOOK_AGAIN_MILLISECONDS },
  );
}

function forbidden({ key }: Pick<ClonedObject, 'key'>, namespace: string | undefined): TerminalError {
  return new TerminalError(
    'Forbidden',
    `Cloning ${keyToString(key)} into namespace "${namespace}" needs a DataVolume whose source names it, ` +
      'made by a user with the right to create datavolumes/source there; one whose DataSource has been changed since is to be made anew',
  );
}
