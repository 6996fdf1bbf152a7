import type { DataVolumeSpec } from '../../api/data-volume.ts';
import type { DataVolumeSource, ImportSource } from '../../api/sources.ts';

/** The ways of filling a claim, which differ in what is made and in the phases that a user sees. */
export type SourceKind = 'import' | 'clone' | 'upload' | 'external-population';

/** Which way a DataVolume's source is; a DataVolume without one leaves it to its claim's own data source. */
export function sourceKindOf({ source, sourceRef }: Pick<DataVolumeSpec, 'source' | 'sourceRef'>): SourceKind {
  if (sourceRef) return 'clone';
  if (!source) return 'external-population';
  if (source.pvc || source.snapshot) return 'clone';
  if (source.upload) return 'upload';
  return 'import';
}

/** The source as a VolumeImportSource has it. */
export function importSourceOf(source: DataVolumeSource): ImportSource {
  const { http, s3, registry, gcs, blank, imageio, vddk } = source;
  return Object.fromEntries(
    Object.entries({ http, s3, registry, gcs, blank, imageio, vddk }).filter(([, value]) => value !== undefined),
  );
}
