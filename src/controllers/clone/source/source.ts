import type { V1NodeSelector } from '@kubernetes/client-node';
import { userAnnotation } from '../../../api/annotations.ts';
import { humanBytes } from '../../../base/units.ts';
import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { TerminalError, WaitingError } from '../../../kube/errors.ts';
import { keyToString, type Key } from '../../../kube/key.ts';
import { requestedBytes, volumeModeOf } from '../../transfers/transfer-target.ts';
import type { CloneSourceKind } from '../../../api/clone-grant.ts';

/** Milliseconds until the next look at a source that is not ready, should no watch come first, as it should. */
export const LOOK_AGAIN_MILLISECONDS = 30_000;

/** The reasons of clones that their source's next change wakes. */
export const WAITING_FOR_SOURCE: ReadonlySet<string> = new Set([
  'CloneSourceInUse',
  'CloneWithoutSource',
  'ErrClaimLost',
  'SourceNotReady',
]);

export type { CloneSourceKind };

/** What is cloned, once it is there to be cloned. Sizes are in bytes. */
export interface CloneSource {
  readonly kind: CloneSourceKind;
  readonly key: Key;
  readonly uid: string;
  readonly driver: string | undefined;
  readonly volumeMode: 'Filesystem' | 'Block';
  /** What the source's volume holds, or that of a snapshot as far as it is known; 0 where it is not. */
  readonly capacity: number;
  /** Of a snapshot: what its driver says that a volume made of it needs, 0 where it does not. Some tell only what was used. */
  readonly restoreSize?: number;
  /** What the source's claim asked for, or that of a snapshot, as far as it is known; a target that asks for less is refused. */
  readonly request: number;
  readonly contentType: string;
  /** The nodes that its volume is in reach of, or of a snapshot its origin's; undefined where all are, or it is not known. */
  readonly reach: V1NodeSelector | undefined;
}

/**
 * Refuses a target that the source does not fit into, unless its annotation permissiveClone takes that on itself.
 *
 * @throws TerminalError CloneValidationFailed
 */
export function requireRoom(source: CloneSource, target: PersistentVolumeClaim): void {
  const request = requestedBytes(target);
  const permissive = target.metadata?.annotations?.[userAnnotation.permissiveClone] === 'true';
  // Between modes the sizes are not the same measure: the copy itself finds out whether the disk fits.
  if (permissive || source.volumeMode !== volumeModeOf(target) || request >= source.request) return;
  const what = source.kind === 'VolumeSnapshot' ? 'of the claim that its snapshot was taken of' : 'of its source';
  throw new TerminalError(
    'CloneValidationFailed',
    `The claim requests ${sized(request)}, less than the ${sized(source.request)} ${what} ` +
      `(${keyToString(source.key)}); request at least as much`,
  );
}

/** Rounded, and as it is. */
function sized(bytes: number): string {
  return `${humanBytes(bytes)} (${bytes} bytes)`;
}

/**
 * That a source is not there, or goes.
 *
 * @param limit until when it is waited for, where that is not for ever
 */
export function without(what: string, key: Key, state: 'absent' | 'deleted', limit = ''): WaitingError {
  const message =
    state === 'absent'
      ? `The source ${what} "${key.name}" does not exist in namespace "${key.namespace}"; the clone starts when it does${limit}`
      : `The source ${what} "${key.name}" in namespace "${key.namespace}" is being deleted; the clone starts when there is one of that name again`;
  return new WaitingError('CloneWithoutSource', message, { after: LOOK_AGAIN_MILLISECONDS });
}

/** That a source is there, and cannot be cloned yet. */
export function notReady(message: string): WaitingError {
  return new WaitingError('SourceNotReady', message, { after: LOOK_AGAIN_MILLISECONDS });
}
