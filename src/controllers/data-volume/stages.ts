import type { DataVolume, DataVolumeSpec } from '../../api/data-volume.ts';
import { hasStages } from '../../api/import-stages.ts';
import { volumeImportSources } from '../../api/volume-import-source.ts';
import { controllerOf, differs } from '../../kube/apply.ts';
import { keyOf } from '../../kube/key.ts';
import type { ControllerContext } from '../runtime/context.ts';
import type { SourceKind } from './source-kind.ts';

/** Returns the name of the object that says what a DataVolume's claim is populated from. */
export const sourceObjectName = ({ metadata }: DataVolume, kind: SourceKind): string =>
  `volume-${kind}-source-${metadata.uid}`;

/** Returns the part of a spec about the stages of its import. */
export const stagesOf = ({ checkpoints, finalCheckpoint = false }: DataVolumeSpec) => ({
  checkpoints,
  finalCheckpoint,
});

/** Passes on stages that were added to a DataVolume to the VolumeImportSource that its claim is populated from. */
export async function passOnStages(
  { caches, client }: Pick<ControllerContext, 'caches' | 'client'>,
  dataVolume: DataVolume,
): Promise<void> {
  if (!hasStages(dataVolume.spec)) return;
  const key = { ...keyOf(dataVolume), name: sourceObjectName(dataVolume, 'import') };
  const source = caches.importSources.get(key);
  const spec = stagesOf(dataVolume.spec);
  if (!source || controllerOf(source)?.uid !== dataVolume.metadata.uid || !differs(spec, source.spec)) return;
  await client.mergePatch(volumeImportSources, key, { spec });
}
