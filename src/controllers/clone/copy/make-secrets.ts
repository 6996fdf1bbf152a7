import { type PersistentVolumeClaim, pods, type Secret, secrets } from '../../../kube/builtin-resources.ts';
import type { KubeClient } from '../../../kube/client.ts';
import { isAlreadyExists } from '../../../kube/errors.ts';
import { refusedByQuota } from '../../objects/create-if-absent.ts';
import { isMadeFor } from '../../objects/made-for.ts';
import { replaceOwn } from '../../objects/replace-own.ts';
import { serverNameOf } from '../../transfers/transfer-service.ts';
import { type HostCloneKeys, type RangesOfCopy, sourceSecret, targetSecret } from './objects.ts';

const CERTIFICATE_LIFETIME_MILLISECONDS = 7 * 24 * 60 * 60_000;

/** Creates the keys of both ends together, and before the pods, because the controllers cannot read them afterwards. */
export async function makeSecrets(
  client: KubeClient,
  claim: PersistentVolumeClaim,
  keys: HostCloneKeys,
  ranges: RangesOfCopy,
): Promise<void> {
  // The X.509 library takes megabytes, which most controllers never need.
  const { createTransferCertificates } = await import('../../../server/certificates.ts');
  const certificates = await createTransferCertificates({
    serverName: serverNameOf(keys.service),
    lifetime: CERTIFICATE_LIFETIME_MILLISECONDS,
  });
  const isApart = keys.sourceSecret.namespace !== keys.targetSecret.namespace;
  await createSecrets(client, claim, keys, [
    targetSecret(claim, keys, certificates, ranges),
    ...(isApart ? [sourceSecret(claim, keys, certificates, ranges)] : []),
  ]);
}

/** Creates the Secrets of a copy before its pods; those that were made for pods that there never were are replaced. */
export async function createSecrets(
  client: KubeClient,
  claim: PersistentVolumeClaim,
  keys: HostCloneKeys,
  made: readonly Secret[],
): Promise<void> {
  try {
    for (const secret of made) await client.create(secrets, secret);
  } catch (error) {
    if (!isAlreadyExists(error)) throw refusedByQuota(error) ?? error;
    // An earlier attempt may have stopped here, or may have created pods that the cache does not show yet.
    const there = await Promise.all([keys.targetPod, keys.sourcePod].map((key) => client.get(pods, key)));
    if (there.some((pod) => pod && isMadeFor(pod, claim.metadata?.uid))) return;
    for (const secret of made) await replaceOwn(client, secrets, secret);
  }
}
