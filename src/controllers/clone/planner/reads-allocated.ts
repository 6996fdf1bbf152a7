import { userAnnotation } from '../../../api/annotations.ts';
import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import type { ChangedBlocks } from '../../changed-blocks/changed-blocks.ts';
import type { CloneSource } from '../source/source.ts';

/** Whether a copy of a source is to read only what is allocated: its driver tells, and its author wants no more. */
export async function readsAllocated(
  changedBlocks: Pick<ChangedBlocks, 'has'>,
  { metadata }: PersistentVolumeClaim,
  { volumeMode, driver }: CloneSource,
): Promise<boolean> {
  if (volumeMode !== 'Block' || driver === undefined) return false;
  if (metadata?.annotations?.[userAnnotation.verifyClone] === 'full') return false;
  return changedBlocks.has(driver);
}
