import { populationController } from '../../transfers/population/setup.ts';
import { importPopulation } from './import-population.ts';

/** Fills claims that name a VolumeImportSource. */
export const importPopulator = populationController(importPopulation);
