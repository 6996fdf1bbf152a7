import { populationAnnotation as names } from '../../../api/annotations.ts';
import { type Imported, importedSources, type Importer, sourceOfBareEndpoint } from '../../../api/sources.ts';
import type { Annotations } from '../../../api/sources/common/declaration.ts';
import { TerminalError } from '../../../kube/errors.ts';

/** Returns the source that a claim's annotations name; undefined where there is none of that name. */
export function namedSource(annotations: Annotations): Imported | undefined {
  const asked = nameOf(annotations);
  return importedSources.find(({ claimValue }) => claimValue === asked);
}

/**
 * Returns the declaration of the source that a claim's annotations name, which knows how to request it from an importer
 * pod.
 *
 * @throws TerminalError UnsupportedSource where this version cannot import from a source of that name
 */
export function askedSource(annotations: Annotations): Importer {
  const importer = namedSource(annotations)?.importer;
  if (importer) return importer;
  const supported = importedSources.filter((source) => source.importer !== undefined).map(({ name }) => name);
  const all = `${supported.slice(0, -1).join(', ')} or ${supported.at(-1)}`;
  throw new TerminalError(
    'UnsupportedSource',
    `Importing from ${nameOf(annotations)} is not supported by this version; use ${all}`,
  );
}

function nameOf(annotations: Annotations): string {
  return annotations[names.importSource] ?? sourceOfBareEndpoint.claimValue;
}
