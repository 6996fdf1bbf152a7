import { populationAnnotation, userAnnotation } from '../../../api/annotations.ts';
import type { DataVolume } from '../../../api/data-volume.ts';
import { parseQuantity } from '../../../api/quantity.ts';
import type { PersistentVolumeClaim } from '../../../kube/builtin-resources.ts';
import { WaitingError } from '../../../kube/errors.ts';
import { isBeingDeleted } from '../../../kube/finalizers.ts';
import { keyOf, keyToString, type ObjectKey } from '../../../kube/key.ts';
import { waitsForFirstConsumer } from '../../claims/wait-for-first-consumer.ts';
import type { Caches } from '../../runtime/caches.ts';
import { readReport } from '../../transfers/transfer-report.ts';
import { requestedBytes, volumeModeOf } from '../../transfers/transfer-target.ts';
import { reachOfClaim } from './reach.ts';
import { type CloneSource, LOOK_AGAIN_MILLISECONDS, notReady, without } from './source.ts';

type ClaimCaches = Pick<Caches, 'claims' | 'volumes' | 'dataVolumes' | 'storageClasses'>;

/**
 * Reads a claim that is to be cloned.
 *
 * @throws WaitingError while the claim does not exist, is not bound, or is still being filled
 */
export function gatherClaimSource(caches: ClaimCaches, key: ObjectKey): CloneSource {
  const claim = caches.claims.get(key);
  const dataVolume = caches.dataVolumes.get(key);
  if (!claim) throw dataVolume ? unfinished(dataVolume) : without('claim', key, 'absent');
  if (isBeingDeleted(claim)) throw without('claim', key, 'deleted');
  requirePopulated(caches, claim);
  const volumeName = claim.spec?.volumeName;
  const volume = volumeName ? caches.volumes.get({ namespace: '', name: volumeName }) : undefined;
  if (claim.status?.phase === 'Lost') {
    throw new WaitingError(
      'ErrClaimLost',
      `The source claim ${keyToString(key)} has lost its volume ${volumeName}; the clone starts when there is one of that name again`,
      { after: LOOK_AGAIN_MILLISECONDS },
    );
  }
  // A claim may name any volume, so the owner is taken from the volume.
  const isBound = claim.status?.phase === 'Bound' && volume?.spec?.claimRef?.uid === claim.metadata?.uid;
  if (!isBound || !volume) throw notReady(whyUnbound(caches, claim));
  return {
    kind: 'PersistentVolumeClaim',
    key,
    uid: claim.metadata?.uid ?? '',
    driver: volume.spec?.csi?.driver,
    volumeMode: volumeModeOf(claim),
    capacity: parseQuantity(claim.status?.capacity?.['storage'] ?? volume.spec?.capacity?.['storage'] ?? '0'),
    request: requestedBytes(claim),
    contentType: claim.metadata?.annotations?.[populationAnnotation.contentType] ?? 'kubevirt',
    reach: reachOfClaim(caches, key),
  };
}

function whyUnbound(caches: ClaimCaches, claim: PersistentVolumeClaim): string {
  const name = keyToString(keyOf(claim));
  return waitsForFirstConsumer(claim, caches)
    ? `The source claim ${name} has no volume yet: its storage class binds when a pod uses it; create that pod, or annotate its DataVolume with ${userAnnotation.bindImmediateRequested}`
    : `The source claim ${name} is not bound to a volume yet; \`kubectl describe pvc -n ${keyOf(claim).namespace} ${keyOf(claim).name}\` tells why`;
}

/** Refuses a claim that a transfer is still writing to, because it holds an incomplete disk. */
function requirePopulated(caches: ClaimCaches, claim: PersistentVolumeClaim): void {
  const owner = claim.metadata?.ownerReferences?.find((reference) => reference.kind === 'DataVolume');
  const dataVolume = owner && caches.dataVolumes.get({ namespace: keyOf(claim).namespace, name: owner.name });
  if (dataVolume) {
    if (dataVolume.status?.phase !== 'Succeeded') throw unfinished(dataVolume);
    return;
  }
  const report = readReport(claim.metadata?.annotations);
  const writtenDirectly = claim.spec?.dataSourceRef === undefined;
  if (!writtenDirectly || report === undefined || report.podPhase === 'Succeeded') return;
  throw notReady(`The source claim ${keyToString(keyOf(claim))} is still being filled: ${report.message}`);
}

function unfinished(dataVolume: DataVolume): WaitingError {
  const name = keyToString(keyOf(dataVolume));
  const { phase, progress = 'N/A', conditions } = dataVolume.status ?? {};
  if (phase === 'Failed') {
    const cause = conditions?.find(({ type }) => type === 'Running')?.message ?? 'its events tell why';
    return notReady(`The source DataVolume ${name} has failed (${cause}); make it anew, and the clone starts`);
  }
  return notReady(
    `The source DataVolume ${name} is not complete yet (${phase ?? 'Pending'}, ${progress}); the clone starts when it is`,
  );
}
