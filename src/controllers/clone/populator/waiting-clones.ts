import type { PersistentVolume, Pod } from '../../../kube/builtin-resources.ts';
import { keyFromString, keyOf, keyToString, type ObjectKey } from '../../../kube/key.ts';
import { claimsOf } from '../../claims/mounted-claims.ts';
import { byPopulationSource } from '../../claims/population/populated-claims.ts';
import type { Caches } from '../../runtime/caches.ts';
import { readReport } from '../../transfers/transfer-report.ts';
import { byCloned, cloned } from '../source/cloned.ts';
import { type CloneSourceKind, WAITING_FOR_SOURCE } from '../source/source.ts';

type WaitingCaches = Pick<Caches, 'cloneSources' | 'claims'>;

/** Returns the target claims of clones that wait for a source to exist, to be complete, or to be unused. */
export function clonesWaitingFor(
  { cloneSources, claims }: WaitingCaches,
  kind: CloneSourceKind,
  key: ObjectKey,
): ObjectKey[] {
  return cloneSources
    .byIndex(byCloned, cloned(kind, key))
    .flatMap((source) => claims.byIndex(byPopulationSource, keyToString(keyOf(source))))
    .filter(({ metadata }) => WAITING_FOR_SOURCE.has(readReport(metadata?.annotations)?.reason ?? ''))
    .map(keyOf);
}

/** Returns the target claims of clones that wait for a claim that the pod mounts. */
export function clonesWaitingForPod(caches: WaitingCaches, pod: Pod): ObjectKey[] {
  return claimsOf(pod).flatMap((name) => clonesWaitingFor(caches, 'PersistentVolumeClaim', keyFromString(name)));
}

/** Returns the target claims of clones that wait for the claim that the volume belongs to. */
export function clonesWaitingForVolume(caches: WaitingCaches, { spec }: PersistentVolume): ObjectKey[] {
  const { namespace, name } = spec?.claimRef ?? {};
  return namespace && name ? clonesWaitingFor(caches, 'PersistentVolumeClaim', { namespace, name }) : [];
}
