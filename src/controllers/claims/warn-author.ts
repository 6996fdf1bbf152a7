import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import type { ControllerContext } from '../runtime/context.ts';
import { dataVolumeOf } from './data-volume-of.ts';

/** Warns whoever wants a claim, on its DataVolume where it has one. */
export function warnAuthor(
  { caches, events }: Pick<ControllerContext, 'caches' | 'events'>,
  claim: PersistentVolumeClaim,
  warning: { readonly reason: string; readonly message: string },
): void {
  events.event(dataVolumeOf(caches, claim) ?? claim, { type: 'Warning', ...warning });
}
