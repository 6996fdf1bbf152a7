import { isTemporaryClaimName } from '../../protocol/object-names.ts';
import type { PersistentVolume, PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import type { Outcome, Reconciler } from '../../kube/controller.ts';
import { ApiError } from '../../kube/errors.ts';
import { isBeingDeleted } from '../../kube/finalizers.ts';
import { keyOf, keyToString, type Key } from '../../kube/key.ts';
import type { ControllerContext } from '../runtime/context.ts';
import { workForAnnotation } from '../objects/internal-annotations.ts';
import { staysBehind } from '../objects/evidence.ts';
import { releaseVolume } from '../claims/disposal/release-volume.ts';

/** Of so many temporary claims that have gone the uids are known. */
const REMEMBERED_CLAIMS = 2_000;

/**
 * Has the volumes of temporary claims go with these, also where their class would have them retained: from their beginning, as whoever deletes
 * a namespace asks nobody, until they are handed over. A provisioner that was at work when a claim went makes its volume afterwards.
 */
export class TemporaryVolumeReconciler implements Reconciler {
  readonly name = 'temporary-volume';
  readonly #context: Pick<ControllerContext, 'client' | 'caches' | 'events'>;
  /** Uids of temporary claims that go or have gone, from the oldest on. */
  readonly #leaving = new Set<string>();

  constructor(context: Pick<ControllerContext, 'client' | 'caches' | 'events'>) {
    this.#context = context;
  }

  /** The volume that a change of a claim is about. To be asked for every change: a claim that is gone is known by that alone. */
  volumeOf(claim: PersistentVolumeClaim): Key[] {
    if (!isTemporary(claim)) return [];
    if (isBeingDeleted(claim)) this.#remember(claim.metadata?.uid ?? '');
    const { volumeName: name } = claim.spec ?? {};
    return name ? [{ namespace: '', name }] : [];
  }

  /** The volume, where it might be one to be released. */
  candidate(volume: PersistentVolume): Key[] {
    const { claimRef } = volume.spec ?? {};
    const isConcerned = isTemporaryClaimName(claimRef?.name ?? '') && staysBehind(volume, claimRef?.uid);
    return isConcerned ? [keyOf(volume)] : [];
  }

  /** @param key of a volume */
  async reconcile(key: Key): Promise<Outcome> {
    const { caches, client } = this.#context;
    const volume = caches.volumes.get(key);
    const { uid } = volume?.spec?.claimRef ?? {};
    if (volume && staysBehind(volume, uid) && this.#isOfTemporary(volume)) await releaseVolume(client, volume);
    return undefined;
  }

  /** Told on the volume, which is what an administrator finds. */
  async failed(key: Key, failure: Error): Promise<void> {
    const volume = this.#context.caches.volumes.get(key);
    if (!volume || !(failure instanceof ApiError)) return;
    const claim = { name: volume.spec?.claimRef?.name ?? '', namespace: volume.spec?.claimRef?.namespace ?? '' };
    this.#context.events.event(
      { apiVersion: 'v1', kind: 'PersistentVolume', metadata: { ...keyOf(volume), uid: volume.metadata?.uid } },
      {
        type: 'Warning',
        reason: 'VolumeRetained',
        message: `It was made for the temporary claim ${keyToString(claim)} and is to go with it, but its reclaim policy could not be set to Delete: ${failure.message}`,
      },
    );
  }

  #isOfTemporary({ spec }: PersistentVolume): boolean {
    const { name = '', namespace = '', uid = '' } = spec?.claimRef ?? {};
    if (this.#leaving.has(uid)) return true;
    const claim = this.#context.caches.claims.get({ namespace, name });
    return claim?.metadata?.uid === uid && isTemporary(claim);
  }

  #remember(uid: string): void {
    this.#leaving.add(uid);
    const [oldest] = this.#leaving;
    if (this.#leaving.size > REMEMBERED_CLAIMS && oldest !== undefined) this.#leaving.delete(oldest);
  }
}

/** Its mark tells, which nobody else may write. */
function isTemporary({ metadata }: PersistentVolumeClaim): boolean {
  return metadata?.annotations?.[workForAnnotation] !== undefined && isTemporaryClaimName(metadata.name ?? '');
}
