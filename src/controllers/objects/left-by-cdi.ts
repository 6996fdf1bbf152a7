import { objectLabels, POD_ROLE_LABEL, type TransferPodLabel } from '../../api/labels.ts';
import { controllerOf } from '../../kube/apply.ts';
import type { PersistentVolumeClaim, Pod } from '../../kube/builtin-resources.ts';
import { defineIndex } from '../../kube/object-index.ts';
import type { KubeObject } from '../../kube/resource.ts';
import {
  primeClaimName,
  temporaryClaimName,
  temporarySnapshotName,
  temporarySourceClaimName,
} from '../../protocol/object-names.ts';
import { workForAnnotation } from './internal-annotations.ts';

/**
 * What CDI has left on its way, where Diskpress takes over a cluster of CDI. It has no marks that nobody else could
 * write, so these objects are known by names that contain a UID, labels and owners. Anybody with rights in their
 * namespace can make such objects; what is concluded from them therefore affects that namespace only, and is nothing
 * that these rights would not allow anyway: objects that are only of use to CDI are deleted, and its working claims are
 * believed to hold what they say.
 */

/** Label of CDI's objects for a clone, in whatever namespace: UID of the claim that is cloned into. */
const OWNED_BY_LABEL = 'cdi.kubevirt.io/OwnedByUID';

/** The kinds of CDI's pods that write the claims that they mount. */
const WRITERS: ReadonlySet<string> = new Set<TransferPodLabel>(['importer', 'cdi-upload-server']);

/** Reports whether an object has the label of CDI's and Diskpress's objects, but not the mark of Diskpress's. */
export function isLeftByCdi({ metadata }: KubeObject): boolean {
  return metadata?.labels?.['app'] === objectLabels.app && metadata.annotations?.[workForAnnotation] === undefined;
}

/** Reports whether CDI made a pod that writes the claims that it mounts. */
export function isWriterOfCdi(pod: Pod): boolean {
  return isLeftByCdi(pod) && WRITERS.has(pod.metadata?.labels?.[POD_ROLE_LABEL] ?? '');
}

/** Reports whether CDI made a pod that reads the source of a clone. */
export function isReaderOfCdi(pod: Pod): boolean {
  return isLeftByCdi(pod) && pod.metadata?.labels?.[POD_ROLE_LABEL] === ('cdi-clone-source' satisfies TransferPodLabel);
}

/** Reports whether a claim is the working claim that CDI made for an import or upload into another claim. */
export function isPrimeOfCdi(claim: PersistentVolumeClaim, targetUid: string | undefined): boolean {
  const owner = controllerOf(claim);
  return (
    targetUid !== undefined &&
    claim.metadata?.name === primeClaimName(targetUid) &&
    owner?.kind === 'PersistentVolumeClaim' &&
    owner.uid === targetUid &&
    isLeftByCdi(claim)
  );
}

/** The index of the claims and snapshots that CDI made for a clone, by the UID of the claim that is cloned into. */
export const byCloneOfCdi = defineIndex<KubeObject>((object) => {
  const uid = object.metadata?.labels?.[OWNED_BY_LABEL];
  const names = uid ? [temporaryClaimName(uid), temporarySourceClaimName(uid), temporarySnapshotName(uid)] : [];
  return uid && names.includes(object.metadata?.name ?? '') && isLeftByCdi(object) ? [uid] : [];
});
