import { stateAnnotation } from '../../../api/annotations.ts';
import { type VolumeUploadSource, volumeUploadSources } from '../../../api/volume-upload-source.ts';
import type { PopulationKind } from '../../transfers/population/population-kind.ts';
import { uploadAnnotations } from '../server/annotations.ts';
import { uploadWords } from '../words.ts';

/** Takes uploads for the claims that name a VolumeUploadSource. */
export const uploadPopulation: PopulationKind<VolumeUploadSource> = {
  name: 'upload-populator',
  fieldManager: 'diskpress-upload-populator',
  resource: volumeUploadSources,
  work: 'upload',
  words: uploadWords,
  podNameAnnotation: stateAnnotation.uploadPodName,
  cacheOf: ({ uploadSources }) => uploadSources,
  requestAnnotations: ({ spec }, _target, config) =>
    uploadAnnotations({
      contentType: spec.contentType ?? 'kubevirt',
      preallocation: spec.preallocation ?? config.preallocation,
    }),
};
