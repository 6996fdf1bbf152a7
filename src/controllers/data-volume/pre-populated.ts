import { dataVolumeAnnotation, userAnnotation } from '../../api/annotations.ts';
import type { DataVolume } from '../../api/data-volume.ts';
import { WaitingError } from '../../kube/errors.ts';

/**
 * Returns whether a DataVolume only represents a claim that arrives with its data from elsewhere, such as a backup.
 * Nothing is created or granted for such a DataVolume, whatever its source is.
 */
export function isPrePopulated({ metadata }: DataVolume): boolean {
  return metadata.annotations?.[dataVolumeAnnotation.prePopulated] !== undefined;
}

/** Returns the error that such a DataVolume waits with while its claim does not exist. */
export function awaitingClaim({ metadata }: DataVolume): WaitingError {
  return new WaitingError(
    'Pending',
    `Waiting for PersistentVolumeClaim "${metadata.name}", which has the data already, as the annotation ${dataVolumeAnnotation.prePopulated} says; without the annotation it would be made and filled`,
  );
}

/** Returns the DataVolume with consent to adoption, which it gives by naming its claim in the annotation. */
export function consenting(dataVolume: DataVolume): DataVolume {
  const { metadata } = dataVolume;
  if (metadata.annotations?.[dataVolumeAnnotation.prePopulated] !== metadata.name) return dataVolume;
  const annotations = { [userAnnotation.allowClaimAdoption]: 'true', ...metadata.annotations };
  return { ...dataVolume, metadata: { ...metadata, annotations } };
}
