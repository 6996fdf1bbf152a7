import type { V1NodeSelector } from '@kubernetes/client-node';
import { userAnnotation } from '../../../api/annotations.ts';
import type { CloneSourceKind } from '../../../api/clone-grant.ts';
import { formatBytes } from '../../../base/format-bytes.ts';
import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { TerminalError, WaitingError } from '../../../kube/errors.ts';
import { keyToString, type ObjectKey } from '../../../kube/key.ts';
import { requestedBytes, volumeModeOf } from '../../transfers/transfer-target.ts';

/** Milliseconds until the next look at a source that is not ready. A watch should trigger one before. */
export const LOOK_AGAIN_MILLISECONDS = 30_000;

/** The reasons with which a clone waits for a change of its source. */
export const WAITING_FOR_SOURCE: ReadonlySet<string> = new Set([
  'CloneSourceInUse',
  'CloneWithoutSource',
  'ErrClaimLost',
  'SourceNotReady',
]);

export type { CloneSourceKind };

/** A source that is ready to be cloned. Sizes are in bytes. */
export interface CloneSource {
  readonly kind: CloneSourceKind;
  readonly key: ObjectKey;
  readonly uid: string;
  readonly driver: string | undefined;
  readonly volumeMode: 'Filesystem' | 'Block';
  /** Capacity of the source's volume, or of a snapshot's original volume as far as it is known; 0 where it is not. */
  readonly capacity: number;
  /**
   * For a snapshot, the size that its driver reports for a volume restored from it; 0 where it reports none. Some
   * drivers report only the used bytes.
   */
  readonly restoreSize?: number;
  /**
   * Size that the source's claim, or a snapshot's original claim, requested, as far as it is known; a target that
   * requests less is refused.
   */
  readonly request: number;
  readonly contentType: string;
  /**
   * The nodes from which the source's volume, or a snapshot's original volume, is accessible; undefined where all nodes
   * can access it, or it is not known.
   */
  readonly reach: V1NodeSelector | undefined;
}

/**
 * Refuses a target that the source does not fit into, unless the target's annotation permissiveClone accepts the risk.
 *
 * @throws TerminalError CloneValidationFailed
 */
export function requireRoom(source: CloneSource, target: PersistentVolumeClaim): void {
  const request = requestedBytes(target);
  const permissive = target.metadata?.annotations?.[userAnnotation.permissiveClone] === 'true';
  // Sizes in different volume modes are not comparable, so the copy itself finds out whether the disk fits.
  if (permissive || source.volumeMode !== volumeModeOf(target) || request >= source.request) return;
  const what = source.kind === 'VolumeSnapshot' ? 'of the claim that its snapshot was taken of' : 'of its source';
  throw new TerminalError(
    'CloneValidationFailed',
    `The claim requests ${sized(request)}, less than the ${sized(source.request)} ${what} ` +
      `(${keyToString(source.key)}); request at least as much`,
  );
}

/** Formats a size both rounded and exact. */
function sized(bytes: number): string {
  return `${formatBytes(bytes)} (${bytes} bytes)`;
}

/**
 * Returns the error for a source that does not exist, or is being deleted.
 *
 * @param limit a description of how long the clone waits for the source, where that is not forever
 */
export function without(what: string, key: ObjectKey, state: 'absent' | 'deleted', limit = ''): WaitingError {
  const message =
    state === 'absent'
      ? `The source ${what} "${key.name}" does not exist in namespace "${key.namespace}"; the clone starts when it does${limit}`
      : `The source ${what} "${key.name}" in namespace "${key.namespace}" is being deleted; the clone starts when there is one of that name again`;
  return new WaitingError('CloneWithoutSource', message, { after: LOOK_AGAIN_MILLISECONDS });
}

/** Returns the error for a source that exists but cannot be cloned yet. */
export function notReady(message: string): WaitingError {
  return new WaitingError('SourceNotReady', message, { after: LOOK_AGAIN_MILLISECONDS });
}
