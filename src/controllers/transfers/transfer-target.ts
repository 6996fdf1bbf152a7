import { populationAnnotation } from '../../api/annotations.ts';
import { parseQuantity } from '../../api/quantity.ts';
import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import type { TransferTarget } from '../../protocol/transfer-pod.ts';
import type { ConfigView } from '../runtime/config-view.ts';

/** Returns the volume mode of a claim; the default is Filesystem. */
export function volumeModeOf(claim: PersistentVolumeClaim): 'Filesystem' | 'Block' {
  return claim.spec?.volumeMode === 'Block' ? 'Block' : 'Filesystem';
}

/** Returns the requested size of a claim in bytes; 0 where it requests none. */
export function requestedBytes(claim: PersistentVolumeClaim): number {
  return parseQuantity(claim.spec?.resources?.requests?.['storage'] ?? '0');
}

/** Returns what a transfer pod needs to know about the claim that it writes. */
export function transferTargetOf(claim: PersistentVolumeClaim, config: ConfigView): TransferTarget {
  const volumeMode = volumeModeOf(claim);
  const annotations = claim.metadata?.annotations ?? {};
  return {
    volumeMode,
    capacity: requestedBytes(claim),
    filesystemOverhead: volumeMode === 'Block' ? 0 : config.filesystemOverhead(claim.spec?.storageClassName),
    preallocation: annotations[populationAnnotation.preallocationRequested] === 'true',
    contentType: annotations[populationAnnotation.contentType] === 'archive' ? 'archive' : 'kubevirt',
  };
}
