import { populationAnnotation as names } from '../../../api/annotations.ts';
import type { ContentType } from '../../../api/transfer-options.ts';

/** The settings, besides where its data comes from, that shape a claim's population. */
export interface PopulationOptions {
  readonly contentType: ContentType;
  readonly preallocation: boolean;
}

/** Returns the annotations of a claim that is to be written directly with these settings. */
export function optionAnnotations({ contentType, preallocation }: PopulationOptions): Record<string, string> {
  return { [names.contentType]: contentType, ...(preallocation ? { [names.preallocationRequested]: 'true' } : {}) };
}
