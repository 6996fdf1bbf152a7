import type { DataVolumeSpec } from '../../api/data-volume.ts';
import type { DataVolumeSource, ImportSource } from '../../api/source-fields.ts';
import { givenSource, importedSources, sources } from '../../api/sources.ts';
import type { SourceDeclaration } from '../../api/sources/common/declaration.ts';

/** The ways of filling a claim, which differ in what is made and in the phases that a user sees. */
export type SourceKind = SourceDeclaration['population'] | 'external-population';

/** Which way a DataVolume's source is; a DataVolume without one leaves it to its claim's own data source. */
export function sourceKindOf({ source, sourceRef }: Pick<DataVolumeSpec, 'source' | 'sourceRef'>): SourceKind {
  if (sourceRef) return 'clone';
  if (!source) return 'external-population';
  return givenSource(sources, source)?.population ?? 'import';
}

/** The source as a VolumeImportSource has it. */
export function importSourceOf(source: DataVolumeSource): ImportSource {
  const given = givenSource(importedSources, source);
  return given ? { [given.name]: source[given.name] } : {};
}
