import type { DataImportCron } from '../../api/data-import-cron.ts';
import { formsOf, type Image, lastUseOf } from './images.ts';

/** As many images are kept where a DataImportCron does not say. */
const DEFAULT_IMPORTS_TO_KEEP = 3;

/**
 * Returns the complete images that are not to be kept: those that were the newest longest ago.
 *
 * @param newest name of the newest image, which is always kept
 */
export function expired({ spec }: DataImportCron, images: readonly Image[], newest: string): Image[] {
  if (spec.garbageCollect === 'Never') return [];
  const others = images.filter((image) => image.name !== newest && formsOf(image).length > 0);
  const kept = Math.max(0, (spec.importsToKeep ?? DEFAULT_IMPORTS_TO_KEEP) - 1);
  return others.sort((a, b) => lastUseOf(b) - lastUseOf(a)).slice(kept);
}
