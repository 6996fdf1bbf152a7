import type { DataVolumeSpec } from '../../api/data-volume.ts';
import type { DataVolumeSource, ImportSource } from '../../api/source-fields.ts';
import { givenSource, importedSources, sources } from '../../api/sources.ts';
import type { SourceDeclaration } from '../../api/sources/common/declaration.ts';

/** The ways to populate a claim, which differ in the objects they need and in the phases that a user sees. */
export type SourceKind = SourceDeclaration['population'] | 'external-population';

/**
 * Returns the kind of a DataVolume's source. A DataVolume without a source leaves population to the data source of its
 * claim.
 */
export function sourceKindOf({ source, sourceRef }: Pick<DataVolumeSpec, 'source' | 'sourceRef'>): SourceKind {
  if (sourceRef) return 'clone';
  if (!source) return 'external-population';
  return givenSource(sources, source)?.population ?? 'import';
}

/** Returns the source in the form that a VolumeImportSource has. */
export function importSourceOf(source: DataVolumeSource): ImportSource {
  const given = givenSource(importedSources, source);
  return given ? { [given.name]: source[given.name] } : {};
}
