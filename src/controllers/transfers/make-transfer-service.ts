import { type PersistentVolumeClaim, type Service, services } from '../../kube/builtin-resources.ts';
import type { KubeClient } from '../../kube/client.ts';
import { WaitingError } from '../../kube/errors.ts';
import { keyOf } from '../../kube/key.ts';
import type { TransferRole } from '../../protocol/roles.ts';
import { createIfAbsent } from '../objects/create-if-absent.ts';
import { isLeftByCdi } from '../objects/left-by-cdi.ts';
import { transferService } from './transfer-service.ts';

/**
 * Creates the Service of the pod that writes a claim, unless it exists. The one of CDI for the same claim, which leads
 * to CDI's pods, is replaced.
 *
 * @throws WaitingError as {@link createIfAbsent} does
 */
export async function makeTransferService(
  client: KubeClient,
  claim: PersistentVolumeClaim,
  role: TransferRole,
): Promise<Service> {
  const service = transferService(claim, role);
  try {
    return await createIfAbsent(client, services, service);
  } catch (error) {
    if (!(error instanceof WaitingError) || error.reason !== 'ErrResourceExists') throw error;
    const found = await client.get(services, keyOf(service));
    const isOfClaim = found?.metadata?.ownerReferences?.some(({ uid }) => uid === claim.metadata?.uid);
    if (!found || !isOfClaim || !isLeftByCdi(found)) throw error;
    await client.delete(services, keyOf(found), { uid: found.metadata?.uid });
    return createIfAbsent(client, services, service);
  }
}
