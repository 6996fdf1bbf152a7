import { stateAnnotation } from '../../api/annotations.ts';
import { diskOfVolume } from '../../base/filesystem-sizes.ts';
import { formatBytes } from '../../base/format-bytes.ts';
import { type PersistentVolumeClaim, persistentVolumeClaims } from '../../kube/builtin-resources.ts';
import { isForbidden, isPermanent, toError } from '../../kube/errors.ts';
import { keyOf } from '../../kube/key.ts';
import type { ControllerContext } from '../runtime/context.ts';
import { claimLabelsOf, missingLabels } from './image-labels.ts';
import { warnOfClaim } from './known-claim.ts';
import { transferTargetOf } from './transfer-target.ts';

/**
 * Sets the labels of the image on its claim. Its data is complete by now, so labels that the API server rejects are
 * omitted with a warning.
 */
export async function labelClaim(
  context: ControllerContext,
  claim: PersistentVolumeClaim,
  labels: Readonly<Record<string, string>>,
): Promise<void> {
  const missing = missingLabels(claim, claimLabelsOf(labels));
  try {
    if (Object.keys(missing).length > 0) {
      await context.client.mergePatch(persistentVolumeClaims, keyOf(claim), { metadata: { labels: missing } });
    }
  } catch (error) {
    if (!isPermanent(error) && !isForbidden(error)) throw error;
    const names = Object.keys(missing).join(', ');
    warnOfClaim(context, claim, {
      reason: 'ImageLabelsRefused',
      message: `The import is complete, but the image's labels ${names} could not be set: ${toError(error).message}`,
    });
  }
}

/** Returns the annotations that tell which library has read a disk of VMware, and from which host. */
export function libraryAnnotations(vddk: { version?: string | undefined; host?: string | undefined } = {}) {
  return {
    ...(vddk.version === undefined ? {} : { [stateAnnotation.vddkVersion]: vddk.version }),
    ...(vddk.host === undefined ? {} : { [stateAnnotation.vddkHost]: vddk.host }),
  };
}

/**
 * Warns where the disk is smaller than requested, because the journal and tables of a filesystem may take more of a
 * small volume than the configured overhead.
 *
 * @param diskSize bytes
 */
export function warnOfSize(
  context: ControllerContext,
  claim: PersistentVolumeClaim,
  diskSize: number | undefined,
): void {
  const { volumeMode, contentType, capacity, filesystemOverhead } = transferTargetOf(claim, context.config);
  const wanted = diskOfVolume(capacity, filesystemOverhead);
  if (volumeMode === 'Block' || contentType === 'archive' || diskSize === undefined || diskSize >= wanted) return;
  warnOfClaim(context, claim, {
    reason: 'DiskSmallerThanRequested',
    message:
      `The disk has ${formatBytes(diskSize)} instead of ${formatBytes(wanted)}, as the file system itself has taken more of the ` +
      `volume than the overhead of its class; request more, or raise filesystemOverhead`,
  });
}
