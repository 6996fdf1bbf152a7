import { populationAnnotation as names } from '../../../api/annotations.ts';
import { optionAnnotations, type PopulationOptions } from '../../transfers/population/options.ts';

/** Returns the annotations that request an upload into a claim. */
export function uploadAnnotations(options: PopulationOptions): Record<string, string> {
  return { [names.uploadTarget]: '', ...optionAnnotations(options) };
}
