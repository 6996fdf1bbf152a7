import { dataVolumeAnnotation, userAnnotation } from '../../api/annotations.ts';
import type { DataVolume } from '../../api/data-volume.ts';
import { WaitingError } from '../../kube/errors.ts';

/**
 * Whether a DataVolume only stands for a claim that comes with its data from elsewhere, such as a backup: nothing is made or granted for it,
 * whatever its source is.
 */
export function isPrePopulated({ metadata }: DataVolume): boolean {
  return metadata.annotations?.[dataVolumeAnnotation.prePopulated] !== undefined;
}

/** What such a DataVolume waits for while there is no claim. */
export function awaitingClaim({ metadata }: DataVolume): WaitingError {
  return new WaitingError(
    'Pending',
    `Waiting for PersistentVolumeClaim "${metadata.name}", which has the data already, as the annotation ${dataVolumeAnnotation.prePopulated} says; without the annotation it would be made and filled`,
  );
}

/** The DataVolume with the consent that it gives by naming its claim there: that claim may be taken over. */
export function consenting(dataVolume: DataVolume): DataVolume {
  const { metadata } = dataVolume;
  if (metadata.annotations?.[dataVolumeAnnotation.prePopulated] !== metadata.name) return dataVolume;
  const annotations = { [userAnnotation.allowClaimAdoption]: 'true', ...metadata.annotations };
  return { ...dataVolume, metadata: { ...metadata, annotations } };
}
