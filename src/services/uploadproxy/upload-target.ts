import { populationAnnotation, stateAnnotation } from '../../api/annotations.ts';
import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import { keyToString, type ObjectKey } from '../../kube/key.ts';
import { primeClaimName } from '../../protocol/object-names.ts';
import { isPopulatedByUpload, isUploaded, isUploadTarget } from '../../protocol/upload-target.ts';
import type { UploadTokenClaims } from '../../protocol/upload-token.ts';
import { Refusal } from './refusal.ts';

/**
 * Returns the claim that an upload is written to: the populator's working claim, or the claim itself.
 *
 * @param claim the claim that the token names; undefined where there is none
 * @throws Refusal 404 without the claim, 403 for another claim of the same name, 400 where nothing is uploaded into it,
 *   409 where that is over
 */
export function writtenClaimOf(claim: PersistentVolumeClaim | undefined, token: UploadTokenClaims): ObjectKey {
  const { namespace, name } = token;
  const key = keyToString({ namespace, name });
  if (!claim) {
    throw new Refusal(404, `claim ${key} does not exist: it was deleted after the upload token was requested`);
  }
  const { uid = '', annotations = {} } = claim.metadata ?? {};
  if (uid !== token.uid) {
    throw new Refusal(
      403,
      `the upload token is for an earlier claim ${key}, which was deleted: request another token for the present one`,
    );
  }
  if (!isUploadTarget(claim)) {
    throw new Refusal(
      400,
      `claim ${key} takes no upload: create a DataVolume with source.upload, or a claim with the annotation ` +
        `${populationAnnotation.uploadTarget}`,
    );
  }
  if (isUploaded(claim)) {
    throw new Refusal(
      409,
      `claim ${key} already has its upload; nothing more is written to it. Upload into another claim`,
    );
  }
  if (annotations[stateAnnotation.podPhase] === 'Failed') {
    const why = annotations[stateAnnotation.conditionRunningMessage] ?? 'its conditions say why';
    throw new Refusal(409, `the upload into claim ${key} has failed for good: ${why}. Create the claim again`);
  }
  return { namespace, name: isPopulatedByUpload(claim) ? primeClaimName(uid) : name };
}
