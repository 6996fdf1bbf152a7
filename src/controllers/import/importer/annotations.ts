import { populationAnnotation as names } from '../../../api/annotations.ts';
import type { ImportSource } from '../../../api/source-fields.ts';
import { givenSource, importedSources, sourceWhenNoneIsGiven } from '../../../api/sources.ts';
import type { ImportedSource } from '../../../api/sources/common/declaration.ts';
import { optionAnnotations, type PopulationOptions } from '../../transfers/population/options.ts';

/** Returns the annotations that request an import into a claim. */
export function importAnnotations(source: ImportSource, options: PopulationOptions): Record<string, string> {
  const given = givenSource(importedSources, source) ?? sourceWhenNoneIsGiven;
  // Each declaration accepts the field of its own name, which the compiler cannot see.
  const declared: ImportedSource = given;
  const asked = { [names.importSource]: declared.claimValue, ...declared.toAnnotations(source[given.name]) };
  return {
    ...Object.fromEntries(Object.entries(asked).filter((entry): entry is [string, string] => entry[1] !== undefined)),
    ...optionAnnotations(options),
  };
}
