import { userAnnotation } from '../../api/annotations.ts';
import type { DataVolume } from '../../api/data-volume.ts';
import { parseQuantity } from '../../api/quantity.ts';
import type { PersistentVolumeClaim } from '../../kube/builtin-resources.ts';
import { TerminalError } from '../../kube/errors.ts';
import { keyOf, keyToString } from '../../kube/key.ts';
import { byMountedClaim } from '../claims/mounted-claims.ts';
import { clonedObjectOf } from '../clone/source/cloned-object.ts';
import type { Caches } from '../runtime/caches.ts';
import type { ControllerContext } from '../runtime/context.ts';
import { requestedBytes } from '../transfers/transfer-target.ts';
import { driverSource } from './driver-clone.ts';
import { claimOf } from './objects.ts';
import type { Population } from './population.ts';
import type { QuotaRoom } from './quota-room.ts';
import { hasCsiDriver } from './storage-class.ts';

type ClaimSpec = NonNullable<PersistentVolumeClaim['spec']>;

/**
 * Decides how a DataVolume's claim gets its data. The decision is final, because the data source of a claim is
 * immutable. The claim is populated directly where its storage leaves no other way, or its author asks for that. Where
 * a quota has no room for the working claim, the CSI driver fills the claim, or else it is populated directly, unless
 * its author insists on a populator.
 *
 * @param dataVolume with its source resolved
 * @param spec of the claim that will be created
 * @throws TerminalError ErrUnableToClone where a snapshot would have to be read without a working claim
 * @throws WaitingError while the source is not ready for the driver
 */
export async function decidePopulation(
  context: ControllerContext,
  room: QuotaRoom,
  dataVolume: DataVolume,
  spec: ClaimSpec,
): Promise<Population> {
  const { caches } = context;
  const { source } = dataVolume.spec;
  const { namespace } = keyOf(dataVolume);
  const { storageClassName } = spec;
  const target = { namespace, storageClassName, bytes: requestedBytes({ spec }) };
  const wish = dataVolume.metadata.annotations?.[userAnnotation.usePopulator];
  const why =
    wish === 'false'
      ? `the annotation ${userAnnotation.usePopulator} is "false"`
      : hasCsiDriver(storageClassName, caches)
        ? undefined
        : `storage class "${storageClassName}" has no CSI driver`;
  if (why !== undefined) {
    if (!source?.snapshot) return { by: 'itself', claims: { target }, why, isForQuota: false };
    throw new TerminalError('ErrUnableToClone', `A snapshot can only be restored by a CSI driver: ${why}`);
  }
  const cloned = clonedObjectOf(source);
  const working = {
    namespace: cloned?.key.namespace ?? namespace,
    storageClassName,
    // The driver clones at the source's actual size, which may be larger than the request.
    bytes: Math.max(target.bytes, source?.pvc ? capacityOf(caches, source.pvc) : 0),
  };
  const usual: Population = { by: 'populator', claims: { target, working } };
  const lack = source && wish !== 'true' ? room.lackFor(keyOf(dataVolume), target, working) : undefined;
  if (!lack) return usual;
  const dataSource = cloned && (await driverSource(context, claimOf(dataVolume, spec, {}), cloned));
  if (dataSource) return { by: 'driver', claims: { target }, dataSource, why: lack };
  // A snapshot can only be read through a claim of its own, and a pod that waits for the claim would start while data
  // is still being written.
  if (source?.snapshot || isAwaited(caches, dataVolume)) return usual;
  return { by: 'itself', claims: { target }, why: lack, isForQuota: true };
}

function capacityOf({ claims }: Pick<Caches, 'claims'>, key: Parameters<Caches['claims']['get']>[0]): number {
  return parseQuantity(claims.get(key)?.status?.capacity?.['storage'] ?? '0');
}

function isAwaited({ pods }: Pick<Caches, 'pods'>, dataVolume: DataVolume): boolean {
  return pods
    .byIndex(byMountedClaim, keyToString(keyOf(dataVolume)))
    .some(({ status }) => status?.phase !== 'Succeeded' && status?.phase !== 'Failed');
}
