import { populationController } from '../../transfers/population/setup.ts';
import { uploadPopulation } from './upload-population.ts';

/** Fills claims that name a VolumeUploadSource. */
export const uploadPopulator = populationController(uploadPopulation);
